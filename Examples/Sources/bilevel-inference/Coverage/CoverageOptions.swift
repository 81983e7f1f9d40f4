import ArgumentParser
import ExampleSupport
import InferenceDesigns
import Orthogonal

/// The options that a study's numbers depend on.
struct CoverageOptions: ParsableArguments {
  @Option(
    name: .customLong("methods"),
    help: .value(
      "names", "Methods, comma-separated; 'all' for every one that applies. (default: by design)"))
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
    try requirePositive(
      ("--ridge-constant", ridgeConstant), ("--ridge-power", ridgePower),
      ("--bandwidth", bandwidth), ("--kbo-ridge", kboRidge))
    try requireRange(
      ("--folds", folds, 2...100), ("--landmarks", landmarks, 1...10_000),
      ("--draws", draws, 20...1_000_000))
    let isRefused = design == .crossEntropy || (design == .twoSample && sharedNoise == .split)
    for (name, isWrong) in [
      ("--band", band && design.study.line(pointCount: 2).isEmpty),
      ("--shared-noise", sharedNoise != nil && isRefused),
    ] where isWrong {
      throw ValidationError("\(name) does not apply to the design \(design.rawValue)")
    }
    let (standard, defaults) = (CrossFitting(), design.defaults)
    return CoverageSpecification(
      design: design, methods: try methods(design), learner: try learner(design),
      baseline: .init(
        lengthScale: bandwidth ?? defaults.baseline.lengthScale,
        ridge: kboRidge ?? defaults.baseline.ridge),
      foldCount: folds ?? (libraryDefaults ? standard.foldCount : defaults.foldCount),
      sharedNoise: sharedNoise ?? (libraryDefaults ? standard.sharedNoise : .kept),
      band: band ? .init(draws: draws) : nil, seed: seed)
  }

  private func methods(_ design: DesignName) throws -> [StudyMethod] {
    let known = design.study.methods
    guard let methodNames else { return known.filter(design.defaults.methods.contains) }
    let chosen = try named(
      "--methods", methodNames, all: known,
      known: "\(known.map(\.rawValue).joined(separator: ", ")), and all for the design "
        + design.rawValue
    ) { name in known.first { $0.rawValue == name } }
    return known.filter(chosen.contains)
  }

  private func learner(_ design: DesignName) throws -> LearnerSettings {
    switch libraryDefaults ? .kernel(.standard) : design.defaults.learner {
    case .features(let map, let penalty):
      guard ridge == nil, ridgePower == nil, landmarks == nil else {
        throw ValidationError(
          "--ridge, --ridge-power and --landmarks are for kernels, but the nuisances of "
            + "\(design.rawValue) are learned on fixed features; --ridge-constant is their penalty")
      }
      return .features(map, penalty: ridgeConstant ?? penalty)
    case .kernel(var settings):
      settings.lengthScale = bandwidth ?? settings.lengthScale
      settings.landmarkCount = landmarks ?? settings.landmarkCount
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
    switch (name, constant, power) {
    case (.rate, let constant?, let power?): return .rate(constant: constant, power: power)
    case (.rate, _, _):
      throw ValidationError("--ridge rate needs --ridge-constant and --ridge-power here")
    case (_, _, _?): throw ValidationError("--ridge-power is for --ridge rate")
    case (.crossValidated, _, _): return .crossValidated(factor: constant ?? 0.5)
    case (_, let constant?, _): return .fixed(constant)
    default: throw ValidationError("--ridge fixed needs the value of λ as --ridge-constant")
    }
  }
}

extension SharedNoise: @retroactive ExpressibleByArgument {}
