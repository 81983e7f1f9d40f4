import ArgumentParser
import InferenceDesigns
import Orthogonal

/// The options that a study's numbers depend on.
struct CoverageOptions: ParsableArguments {
  @Option(
    name: .customLong("methods"),
    help: ArgumentHelp(
      "Methods, comma-separated; 'all' for every one that applies. (default: by design)",
      valueName: "names"))
  var methodNames: String?

  @Option(help: "Folds of cross-fitting. (default: 5, 2 for designs of the paper)")
  var folds: Int?

  @Option(help: "What is done about noise that nuisances share. (default: kept, as in the paper)")
  var sharedNoise: SharedNoise?

  @Flag(
    help: """
      Kernel nuisances, folds and treatment of shared noise as the library has them by default, \
      instead of those of the design.
      """)
  var libraryDefaults = false

  @Option(help: "How the penalty λ of kernel ridge regression is chosen.")
  var ridge: RidgeName?

  @Option(
    help: """
      c of λ = c n^(−p); with --ridge fixed λ itself, with cv a factor of the λ chosen, and the \
      absolute penalty where nuisances are learned on fixed features. (default: by design)
      """)
  var ridgeConstant: Double?

  @Option(help: "p of λ = c n^(−p). (default: by design)")
  var ridgePower: Double?

  @Option(help: "The length scale of the Gaussian kernel. (default: by design)")
  var bandwidth: Double?

  @Option(help: "The most training rows that serve as landmarks of a kernel. (default: 150)")
  var landmarks: Int?

  @Option(help: "The λ of kbo-fixed. (default: by design)")
  var kboRidge: Double?

  @Flag(help: "Measure simultaneous bands over coordinates and 11 points of a line through ω*.")
  var band = false

  @Option(help: "Draws of the multiplier bootstrap for --band.")
  var draws = 500

  @Option(help: "The seed of everything random.")
  var seed: UInt64 = 1

  /// A rule for λ.
  enum RidgeName: String, ExpressibleByArgument, CaseIterable {
    case rate, fixed
    case crossValidated = "cv"
  }

  /// The specification of a study of a design.
  func specification(_ design: DesignName) throws -> CoverageSpecification {
    for (name, value) in [
      ("--ridge-constant", ridgeConstant), ("--ridge-power", ridgePower),
      ("--bandwidth", bandwidth), ("--kbo-ridge", kboRidge),
    ] {
      if let value, !(value > 0 && value.isFinite) {
        throw ValidationError("\(name) must be a positive number, not \(value)")
      }
    }
    for (name, value, range) in [
      ("--folds", folds ?? 2, 2...100), ("--landmarks", landmarks ?? 1, 1...10_000),
      ("--draws", draws, 20...1_000_000),
    ] where !range.contains(value) {
      throw ValidationError(
        "\(name) must be between \(range.lowerBound) and \(range.upperBound), not \(value)")
    }
    let baseline = design.defaultBaseline
    if band, design.study.line(pointCount: 2).isEmpty {
      throw ValidationError("--band does not apply to the design \(design.rawValue)")
    }
    let isRefused = design == .crossEntropy || (design == .twoSample && sharedNoise == .split)
    if sharedNoise != nil, isRefused {
      throw ValidationError("--shared-noise does not apply to the design \(design.rawValue)")
    }
    let standard = CrossFitting()
    return CoverageSpecification(
      design: design, methods: try methods(design), learner: try learner(design),
      baseline: .init(
        lengthScale: bandwidth ?? baseline.lengthScale, ridge: kboRidge ?? baseline.ridge),
      foldCount: folds ?? (libraryDefaults ? standard.foldCount : design.defaultFoldCount),
      sharedNoise: sharedNoise ?? (libraryDefaults ? standard.sharedNoise : .kept),
      band: band ? .init(draws: draws) : nil, seed: seed)
  }

  private func methods(_ design: DesignName) throws -> [StudyMethod] {
    guard let methodNames else { return design.defaultMethods }
    let known = design.study.methods
    let names = methodNames.split(separator: ",").map(String.init)
    let chosen = try names.flatMap { name in
      if name == "all" { return known }
      guard let method = StudyMethod(rawValue: name), known.contains(method) else {
        let list = known.map(\.rawValue).joined(separator: ", ")
        throw ValidationError(
          "--methods: there is no '\(name)' for the design \(design.rawValue); there are \(list), "
            + "and all")
      }
      return [method]
    }
    guard !chosen.isEmpty else { throw ValidationError("--methods must name one at least") }
    return known.filter(chosen.contains)
  }

  private func learner(_ design: DesignName) throws -> LearnerSettings {
    let usual: LearnerSettings = libraryDefaults ? .kernel(.standard) : design.defaultLearner
    switch usual {
    case .features(let map, let penalty):
      guard ridge == nil, ridgePower == nil, landmarks == nil else {
        throw ValidationError(
          "--ridge, --ridge-power and --landmarks are for kernels, but the nuisances of "
            + "\(design.rawValue) are learned on fixed features; --ridge-constant is their penalty")
      }
      return .features(map, penalty: ridgeConstant ?? penalty)
    case .kernel(var settings):
      if let bandwidth { settings.lengthScale = bandwidth }
      if let landmarks { settings.landmarkCount = landmarks }
      settings.ridge = try rule(settings.ridge)
      return .kernel(settings)
    }
  }

  /// The rule for λ: the usual one of the design unless options give another.
  private func rule(_ usual: KernelSettings.Ridge) throws -> KernelSettings.Ridge {
    var (name, constant, power) = (ridge, ridgeConstant, ridgePower)
    switch usual {
    case .crossValidated(let factor) where name == nil || name == .crossValidated:
      (name, constant) = (.crossValidated, constant ?? factor)
    case .rate(let usualConstant, let usualPower) where name == nil || name == .rate:
      (name, constant, power) = (.rate, constant ?? usualConstant, power ?? usualPower)
    default: break
    }
    guard name == .rate || power == nil else {
      throw ValidationError("--ridge-power is for --ridge rate")
    }
    switch name {
    case .crossValidated: return .crossValidated(factor: constant ?? 0.5)
    case .rate:
      guard let constant, let power else {
        throw ValidationError("--ridge rate needs --ridge-constant and --ridge-power here")
      }
      return .rate(constant: constant, power: power)
    case .fixed, nil:
      guard let constant else {
        throw ValidationError("--ridge fixed needs the value of λ as --ridge-constant")
      }
      return .fixed(constant)
    }
  }
}

extension SharedNoise: @retroactive ExpressibleByArgument {}
