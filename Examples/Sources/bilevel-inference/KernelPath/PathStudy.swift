import Bilevel
import ArgumentParser
import Autodiff
import ExampleSupport
import InferenceDesigns
import Orthogonal
import Solvers

/// A design on which the kernel baseline is followed along its penalty.
enum PathDesign: String, Codable, CaseIterable, Sendable, ExpressibleByArgument {
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
    case .paperB4: "labelled Bellman regression of El Khoury et al. (2026), fourth experiment"
    case .paperIV4, .iv, .fqe: defaults.summary
    }
  }

  /// Those of the design of 'coverage' whose learner and kernel it has.
  var defaults: DesignName.Defaults {
    switch self {
    case .paperIV3: DesignName.paperIV1.defaults
    case .paperIV4: DesignName.paperIV4.defaults
    case .paperB4: DesignName.paperB1.defaults
    case .iv: DesignName.iv.defaults
    case .fqe: DesignName.fqe.defaults
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

/// Everything that a replication of a path depends on, apart from the sample size and its number.
struct PathSpecification: Study, Encodable {
  static let format = "bilevel-inference kbo-path 1"

  var version = 1
  let design: PathDesign
  let ridges: [Double]
  let lengthScale: Double
  let seed: UInt64

  var label: String { design.rawValue }

  var options: [StudyOption] {
    [
      ("--design", design.rawValue), ("--seed", "\(seed)"),
      ("--ridges", ridges.map { "\($0)" }.joined(separator: ",")),
      ("--bandwidth", "\(lengthScale)"),
    ]
  }

  /// The kernel matrix of all rows, its decomposition and its products in several forms.
  func byteCount(size: Int) -> Double { 60 * Double(size) * Double(size) }

  func maker() -> (StudyTask, inout PhiloxGenerator) throws -> PathReplication {
    let design = design.design
    return { try replication(of: design, size: $0.size, using: &$1) }
  }

  /// Draws an inner and an outer sample of a size, fits on the one and evaluates on the other.
  private func replication(
    of design: some AffineDesign, size: Int, using generator: inout PhiloxGenerator
  ) throws -> PathReplication {
    let inner = try design.sample(size, using: &generator)
    let outer = try design.sample(size, using: &generator)
    let learner = self.design.defaults.learner.learner
    let nuisances = try outer.nuisances(learner, trainedOn: inner, seed: generator.next())
    let path = try KernelPath(lengthScale: lengthScale, inner: inner, outer: outer)
    return PathReplication(
      path: try ridges.map { try PathRecord(path.fit(ridge: $0), design) },
      obigrad: try PathRecord(outer.fit(given: nuisances), design),
      plugin: try PathRecord(outer.fit(.plugIn, given: nuisances), design),
      oracle: try PathRecord(outer.fit(given: design.nuisances(at: outer.inputs)), design))
  }
}

/// What is kept of one inner and one outer sample.
struct PathReplication: Codable, Sendable {
  /// The baseline at every λ.
  let path: [PathRecord]
  let obigrad: PathRecord
  let plugin: PathRecord
  let oracle: PathRecord
}

/// The errors of an estimate, [d].
struct PathRecord: Codable, Sendable {
  /// Of the gradient at the evaluation point.
  let errors: [Double]
  /// Of the root; nil where it is not identified.
  let rootErrors: [Double]?
}

extension PathRecord {
  fileprivate init(_ fit: AffineFit, _ design: some AffineDesign) throws {
    let point = design.evaluationPoint
    errors = try (fit.hypergradient(at: point).value - design.gradient(at: point)).scalars
    // A root that is not identified is no failure of the gradient.
    let root = try? fit.root()
    rootErrors = root.map { ($0.value - design.stationaryPoint).scalars }
  }
}

/// The kernel baseline along its penalty.
///
/// Regularised regressions on an inner sample are evaluated on an outer one, for many λ by one
/// eigendecomposition:
///
///     K_oi (K_ii + n λ I)⁻¹ T = K_oi U (Λ + n λ)⁻¹ Uᵀ T,   K_ii = U Λ Uᵀ
///
/// El Khoury, Pauwels, Vaiter and Arbel, Learning theory for kernel bilevel optimization (2025).
struct KernelPath {
  private let values: Tensor
  private let basis: Tensor
  private let moments: Tensor
  private let outer: AffineProblem
  private let count: Int

  init(
    lengthScale: Double, inner: AffineProblem, outer: AffineProblem
  ) throws(LinearAlgebraError) {
    let kernel = Kernel.gaussian(lengthScale: lengthScale)
    let (values, vectors) = try symmetricEigen(kernel(inner.inputs, inner.inputs))
    // Rounding can make eigenvalues of zero negative.
    self.values = maximum(values, 0)
    basis = matmul(kernel(outer.inputs, inner.inputs), vectors)
    let targets = Tensor.concatenated(
      [inner.innerIntercept.expandingShape(at: 1), inner.innerSlope], alongAxis: 1)
    moments = matmul(vectors, targets, transposeA: true)
    self.outer = outer
    count = inner.count
  }

  /// The regularised plug-in on the outer sample.
  func fit(ridge: Double) throws(SolverError) -> AffineFit {
    let shrunk = moments / (values + Double(count) * ridge).expandingShape(at: 1)
    let predictions = matmul(basis, shrunk)
    return try outer.fit(
      .plugIn,
      given: AffineNuisances(
        intercept: predictions[0..., 0],
        slope: predictions.slice(1..<predictions.shape[1], alongAxis: 1),
        // The plug-in takes the outcome as it is.
        outcome: outer.outcome))
  }
}
