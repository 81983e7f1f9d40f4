import ArgumentParser
import InferenceDesigns

/// A design by the name it has on the command line.
enum DesignName: String, Codable, CaseIterable, Sendable, ExpressibleByArgument {
  case iv
  case fqe
  case fqeLQ = "fqe-lq"
  case crossEntropy = "cross-entropy"
  case twoSample = "two-sample"
  case paperIV1 = "paper-iv1"
  case paperIV4 = "paper-iv4"
  case paperB1 = "paper-b1"
  case paperB2 = "paper-b2"
  case paperB3 = "paper-b3"

  /// What its study takes unless options say otherwise.
  struct Defaults {
    /// A line of the help and the title of plots.
    let summary: String
    /// How nuisances are learned: chosen so that their bias shows, or as the paper has them.
    let learner: LearnerSettings
    var baseline = CoverageSpecification.Baseline(lengthScale: 0.5, ridge: 0.01)
    var sizes = [500, 1000, 2000, 4000]
    var foldCount = 5
    /// The methods, of those that apply.
    var methods: Set<StudyMethod> = [.oracle, .obigrad, .plugin]
  }

  var study: any StudyDesign {
    switch self {
    case .iv: AffineStudy(design: IVWell())
    case .fqe: AffineStudy(design: FqeFourier(), isResidual: true)
    case .fqeLQ: AffineStudy(design: FqeLQ(), isResidual: true)
    case .crossEntropy: CrossEntropyStudy()
    case .twoSample: TwoSampleStudy()
    case .paperIV1: AffineStudy(design: PaperSineIV())
    case .paperIV4: AffineStudy(design: PaperScalarIV())
    case .paperB1: AffineStudy(design: PaperBellman(.b1))
    case .paperB2: AffineStudy(design: PaperBellman(.b2))
    case .paperB3: AffineStudy(design: PaperBellman(.b3))
    }
  }

  var summary: String { defaults.summary }

  var defaults: Defaults {
    let most = Set(StudyMethod.allCases).subtracting([.kboDecaying, .pluginInSample])
    switch self {
    case .iv:
      return Defaults(
        summary: "confounded instrumental variables, well conditioned",
        learner: .kernel(lengthScale: 0.5, constant: 0.08), methods: most)
    case .fqe:
      return Defaults(
        summary: "fitted Q-evaluation by the Bellman residual, bounded features",
        learner: .kernel(lengthScale: 2, constant: 0.016),
        baseline: .init(lengthScale: 2, ridge: 0.002), methods: most)
    case .fqeLQ:
      return Defaults(
        summary: "fitted Q-evaluation in a linear-quadratic process, quartic polynomials",
        learner: .features(.quarticPolynomials, penalty: 1e-6),
        baseline: .init(lengthScale: 2, ridge: 0.002),
        methods: [.oracle, .obigrad, .plugin, .residual])
    case .crossEntropy:
      return Defaults(
        summary: "cross-entropy losses, the general score",
        // The curvature of the loss, about 0.2, takes part in how much a λ smooths.
        learner: .kernel(lengthScale: 0.7, constant: 0.05, hasIntercept: true))
    case .twoSample:
      return Defaults(
        summary: "instrumental variables, two samples with different inputs",
        learner: .kernel(lengthScale: 0.5, constant: 0.08), foldCount: 2)
    case .paperIV1:
      return .paper("vector sine IV", "figures 1 and 2", .sumFourier, penalty: 1e-6)
    case .paperIV4:
      return Defaults(
        summary: "scalar IV of El Khoury et al. (2026), figure 4",
        learner: .features(.linear, penalty: 1e-8), baseline: .init(lengthScale: 2, ridge: 0.01),
        sizes: [100, 200, 400, 800, 1600], foldCount: 2,
        methods: [.oracle, .obigrad, .plugin, .kboFixed, .kboDecaying])
    case .paperB1: return .bellman("first", penalty: 0.5)
    case .paperB2: return .bellman("second", penalty: 0.05)
    case .paperB3: return .bellman("third", penalty: 1)
    }
  }
}

extension DesignName.Defaults {
  fileprivate static func paper(
    _ design: String, _ place: String, _ features: FeatureMap, penalty: Double,
    lengthScale: Double = 0.5
  ) -> Self {
    .init(
      summary: "\(design) of El Khoury et al. (2026), \(place)",
      learner: .features(features, penalty: penalty),
      baseline: .init(lengthScale: lengthScale, ridge: 0.01),
      sizes: [200, 400, 800, 1600, 3200], foldCount: 2)
  }

  fileprivate static func bellman(_ number: String, penalty: Double) -> Self {
    // Of the frequencies N(0, 0.7) that the paper's random features have.
    .paper(
      "labelled Bellman regression", "\(number) experiment", .bellman, penalty: penalty,
      lengthScale: (1 / 0.7).squareRoot())
  }
}
