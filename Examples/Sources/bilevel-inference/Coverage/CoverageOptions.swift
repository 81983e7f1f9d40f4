import ArgumentParser
import InferenceDesigns

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

  @Flag(help: "Fit the two nuisances of every product on disjoint halves.")
  var splitNuisances = false

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

  @Option(help: "The most training rows that serve as landmarks of a kernel.")
  var landmarks = 150

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
      ("--folds", folds ?? 2, 2...100), ("--landmarks", landmarks, 1...10_000),
      ("--draws", draws, 20...1_000_000),
    ] where !range.contains(value) {
      throw ValidationError(
        "\(name) must be between \(range.lowerBound) and \(range.upperBound), not \(value)")
    }
    let baseline = design.defaultBaseline
    if band, design.study.line(pointCount: 2).isEmpty {
      throw ValidationError("--band does not apply to the design \(design.rawValue)")
    }
    return CoverageSpecification(
      design: design, methods: try methods(design), learner: try learner(design),
      baseline: .init(
        lengthScale: bandwidth ?? baseline.lengthScale, ridge: kboRidge ?? baseline.ridge),
      foldCount: folds ?? design.defaultFoldCount, splitsNuisances: splitNuisances,
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
    switch design.defaultLearner {
    case .features(let map, let penalty):
      guard ridge == nil, ridgePower == nil else {
        throw ValidationError(
          "--ridge and --ridge-power are for kernels, but the nuisances of \(design.rawValue) are "
            + "learned on fixed features; --ridge-constant is their penalty")
      }
      return .features(map, penalty: ridgeConstant ?? penalty)
    case .kernel(var settings):
      if let bandwidth { settings.lengthScale = bandwidth }
      settings.landmarkCount = landmarks
      settings.ridge = try rule(settings.ridge)
      return .kernel(settings)
    }
  }

  private func rule(_ usual: KernelSettings.Ridge) throws -> KernelSettings.Ridge {
    guard ridge == nil || ridge == .rate || ridgePower == nil else {
      throw ValidationError("--ridge-power is for --ridge rate")
    }
    switch ridge {
    case .fixed:
      guard let ridgeConstant else {
        throw ValidationError("--ridge fixed needs the value of λ as --ridge-constant")
      }
      return .rate(constant: ridgeConstant, power: 0)
    case .crossValidated: return .crossValidated(factor: ridgeConstant ?? 1)
    case .rate, nil:
      guard case .rate(let constant, let power) = usual else { return usual }
      return .rate(constant: ridgeConstant ?? constant, power: ridgePower ?? power)
    }
  }
}
