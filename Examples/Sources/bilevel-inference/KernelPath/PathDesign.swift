import Autodiff
import InferenceDesigns

/// A design on which the kernel baseline is followed along its penalty.
enum PathDesign: String, Codable, CaseIterable, Sendable {
  case paperIV3 = "paper-iv3"
  case paperIV4 = "paper-iv4"
  case paperB4 = "paper-b4"
  case iv
  case fqe

  var design: any AffineDesign {
    switch self {
    case .paperIV3: PaperSineIV(.confounded)
    case .paperIV4: PaperScalarIV()
    case .paperB4: PaperBellman(.b1)
    case .iv: IVWell()
    case .fqe: FqeFourier()
    }
  }

  /// A line of the help and the title of plots.
  var summary: String {
    switch self {
    case .paperIV3: "confounded vector sine IV of El Khoury et al. (2026), figure 3"
    case .paperIV4: DesignName.paperIV4.summary
    case .paperB4: "labelled Bellman regression of El Khoury et al. (2026), fourth experiment"
    case .iv: DesignName.iv.summary
    case .fqe: DesignName.fqe.summary
    }
  }

  /// The learner of the orthogonal method and of the plug-in.
  var learner: LearnerSettings {
    switch self {
    case .paperIV3: DesignName.paperIV1.defaultLearner
    case .paperIV4: DesignName.paperIV4.defaultLearner
    case .paperB4: DesignName.paperB1.defaultLearner
    case .iv: DesignName.iv.defaultLearner
    case .fqe: DesignName.fqe.defaultLearner
    }
  }

  /// The length scale of the baseline's kernel.
  var lengthScale: Double {
    switch self {
    case .paperIV3, .iv: 0.5
    case .paperIV4, .fqe: 2
    case .paperB4: DesignName.paperB1.defaultBaseline.lengthScale
    }
  }

  /// The exact limit of the baseline; nil where inputs are not normal.
  func limit(lengthScale: Double) throws(LinearAlgebraError) -> KernelLimit? {
    guard let normal = design as? any NormalInputDesign else { return nil }
    let (modes, nodes) =
      switch normal.inputCovariance.shape[0] {
      case 1: (60, 120)
      case 2: (40, 80)
      default: (36, 64)
      }
    return try KernelLimit(
      of: normal, lengthScale: lengthScale, modeCount: modes, nodeCount: nodes)
  }
}
