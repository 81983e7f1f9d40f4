import InferenceDesigns

/// A design by the name it has on the command line, with what its study takes unless options say
/// otherwise.
enum DesignName: String, Codable, CaseIterable, Sendable {
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

  /// A line of the help and the title of plots.
  var summary: String {
    switch self {
    case .iv: "confounded instrumental variables, well conditioned"
    case .fqe: "fitted Q-evaluation by the Bellman residual, bounded features"
    case .fqeLQ: "fitted Q-evaluation in a linear-quadratic process, quartic polynomials"
    case .crossEntropy: "cross-entropy losses, the general score"
    case .twoSample: "instrumental variables, two samples with different inputs"
    case .paperIV1: "vector sine IV of El Khoury et al. (2026), figures 1 and 2"
    case .paperIV4: "scalar IV of El Khoury et al. (2026), figure 4"
    case .paperB1: "labelled Bellman regression of El Khoury et al. (2026), first experiment"
    case .paperB2: "labelled Bellman regression of El Khoury et al. (2026), second experiment"
    case .paperB3: "labelled Bellman regression of El Khoury et al. (2026), third experiment"
    }
  }

  var isFromPaper: Bool { rawValue.hasPrefix("paper") }

  var defaultSizes: [Int] {
    switch self {
    case .paperIV4: [100, 200, 400, 800, 1600]
    case .paperIV1, .paperB1, .paperB2, .paperB3: [200, 400, 800, 1600, 3200]
    default: [500, 1000, 2000, 4000]
    }
  }

  var defaultFoldCount: Int { isFromPaper || self == .twoSample ? 2 : 5 }

  /// The smoothers are chosen so that their bias shows, or as the paper has them.
  var defaultLearner: LearnerSettings {
    switch self {
    case .iv, .twoSample:
      .kernel(KernelSettings(lengthScale: 0.5, ridge: .rate(constant: 0.08, power: 0.4)))
    case .fqe:
      .kernel(KernelSettings(lengthScale: 2, ridge: .rate(constant: 0.016, power: 0.4)))
    case .crossEntropy:
      // The curvature of the loss, about 0.2, takes part in how much a λ smooths.
      .kernel(
        KernelSettings(
          lengthScale: 0.7, ridge: .rate(constant: 0.05, power: 0.4), hasIntercept: true))
    case .fqeLQ: .features(.quarticPolynomials, penalty: 1e-6)
    case .paperIV1: .features(.sumFourier, penalty: 1e-6)
    case .paperIV4: .features(.linear, penalty: 1e-8)
    case .paperB1: .features(.bellman, penalty: 0.5)
    case .paperB2: .features(.bellman, penalty: 0.05)
    case .paperB3: .features(.bellman, penalty: 1)
    }
  }

  var defaultBaseline: CoverageSpecification.Baseline {
    switch self {
    case .iv, .twoSample, .crossEntropy, .paperIV1: .init(lengthScale: 0.5, ridge: 0.01)
    case .fqe, .fqeLQ: .init(lengthScale: 2, ridge: 0.002)
    case .paperIV4: .init(lengthScale: 2, ridge: 0.01)
    // Of the frequencies N(0, 0.7) that the paper's random features have.
    case .paperB1, .paperB2, .paperB3: .init(lengthScale: (1 / 0.7).squareRoot(), ridge: 0.01)
    }
  }

  /// What is compared unless options say otherwise.
  var defaultMethods: [StudyMethod] {
    let shown: Set<StudyMethod> =
      switch self {
      case .fqeLQ: [.oracle, .obigrad, .plugin, .residual]
      case .paperIV4: [.oracle, .obigrad, .plugin, .kboFixed, .kboDecaying]
      case .iv, .fqe: Set(StudyMethod.allCases).subtracting([.kboDecaying, .pluginInSample])
      default: [.oracle, .obigrad, .plugin]
      }
    return study.methods.filter(shown.contains)
  }
}
