import Autodiff
import InferenceDesigns
import Orthogonal

/// Everything that a replication of a path depends on, apart from the sample size and its number.
struct PathSpecification: StudySpecification {
  static let currentVersion = 1

  var version = currentVersion
  let design: PathDesign
  let ridges: [Double]
  let lengthScale: Double
  let seed: UInt64

  var label: String { design.rawValue }

  var options: [(name: String, value: String)] {
    [
      ("--design", design.rawValue), ("--seed", "\(seed)"),
      ("--ridges", ridges.map { "\($0)" }.joined(separator: ",")),
      ("--bandwidth", "\(lengthScale)"),
    ]
  }

  /// The kernel matrix of all rows, its decomposition and its products in several forms.
  func byteCount(size: Int) -> Double { 60 * Double(size) * Double(size) }

  func maker() -> (StudyTask) throws -> PathReplication {
    let design = design.design
    return { try PathReplication($0, of: design, self) }
  }
}

/// What is kept of one inner and one outer sample.
struct PathReplication: StudyReplication {
  let task: StudyTask
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

extension PathReplication {
  /// Draws an inner and an outer sample of a size, fits on the one and evaluates on the other.
  init(_ task: StudyTask, of design: some AffineDesign, _ specification: PathSpecification) throws {
    var generator = task.generator(seed: specification.seed)
    let inner = try design.sample(task.size, using: &generator)
    let outer = try design.sample(task.size, using: &generator)
    let learner = specification.design.learner.learner
    let nuisances = try outer.nuisances(learner, trainedOn: inner, seed: generator.next())
    let kernelPath = try KernelPath(
      lengthScale: specification.lengthScale, inner: inner, outer: outer)
    self.task = task
    path = try specification.ridges.map { try PathRecord(kernelPath.fit(ridge: $0), design) }
    obigrad = try PathRecord(outer.fit(given: nuisances), design)
    plugin = try PathRecord(outer.fit(.plugIn, given: nuisances), design)
    oracle = try PathRecord(outer.fit(given: design.nuisances(at: outer.inputs)), design)
  }
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
