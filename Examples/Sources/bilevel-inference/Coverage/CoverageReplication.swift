import Autodiff
import Inference

/// What is kept of one replication: the errors of every method, from which all tables follow.
struct CoverageReplication: StudyReplication {
  let task: StudyTask
  /// In the order of the specification.
  let methods: [MethodRecord]
}

/// What is kept of one method on one sample.
struct MethodRecord: Codable, Sendable {
  /// Estimate less truth at the evaluation point, [d]; empty where the method failed.
  var errors: [Double] = []
  /// Their standard errors, [d].
  var standardErrors: [Double] = []
  /// The p-value of the joint test of the true gradient.
  var truthPValue: Double?
  /// The p-value of the joint test of a zero gradient at ω*.
  var stationarityPValue: Double?
  /// The root less ω*, [d]; nil where it is not identified.
  var rootErrors: [Double]?
  /// Their standard errors, [d].
  var rootStandardErrors: [Double]?
  /// An estimate of E‖ĵ − j‖² of the nuisances; it can be negative.
  var slopeError: Double?
  /// The simultaneous band.
  var band: BandRecord?
  /// Why there is no estimate.
  var failure: String?
}

/// What is kept of a simultaneous band.
struct BandRecord: Codable, Sendable {
  /// The largest of |estimate − truth| / standard error over coordinates and points.
  let largestError: Double
  /// What it is compared with.
  let criticalValue: Double
}

extension CoverageReplication {
  /// Draws a sample and fits every method to it.
  ///
  init(
    _ task: StudyTask, of design: some StudyDesign, _ specification: CoverageSpecification
  ) throws {
    var generator = task.generator(seed: specification.seed)
    let sample = try design.sample(task.size, using: &generator)
    let seed = generator.next()
    self.task = task
    methods = specification.methods.map { method in
      do {
        let fit = try design.fit(method, to: sample, specification, seed: seed)
        return try MethodRecord(fit, design, band: specification.band, seed: seed)
      } catch {
        return MethodRecord(failure: "\(error)")
      }
    }
  }
}

extension MethodRecord {
  init(
    _ fit: FittedMethod, _ design: some StudyDesign, band: CoverageSpecification.Band?, seed: UInt64
  ) throws {
    let truth = design.gradient(at: design.evaluationPoint)
    let estimate = try fit.hypergradient(design.evaluationPoint)
    errors = (estimate.value - truth).scalars
    standardErrors = estimate.standardErrors.scalars
    slopeError = fit.slopeError
    truthPValue = estimate.jointTest(null: truth).pValue
    if let stationaryPoint = design.stationaryPoint {
      stationarityPValue = try fit.hypergradient(stationaryPoint).jointTest().pValue
      // A root that is not identified is no failure of the gradient.
      if let root = try? fit.root?() {
        rootErrors = (root.value - stationaryPoint).scalars
        rootStandardErrors = root.standardErrors.scalars
      }
    }
    if let band { self.band = try BandRecord(fit, design, band, seed: seed) }
  }
}

extension BandRecord {
  /// Nil where the method or the design has no band.
  fileprivate init?(
    _ fit: FittedMethod, _ design: some StudyDesign, _ band: CoverageSpecification.Band,
    seed: UInt64
  ) throws {
    let line = design.line(pointCount: band.pointCount)
    guard !line.isEmpty, let estimate = try fit.hypergradients?(line) else { return nil }
    let truth = Tensor.concatenated(line.map(design.gradient), alongAxis: 0)
    let errors = abs(estimate.value - truth) / estimate.standardErrors
    let bootstrap = MultiplierBootstrap(draws: band.draws, seed: seed)
    self.init(
      largestError: errors.max().scalar, criticalValue: try bootstrap.criticalValue(of: estimate))
  }
}

extension Statistic<JointTest> {
  /// The p-value, where the test applies.
  fileprivate var pValue: Double? {
    if case .value(let test) = self { test.pValue } else { nil }
  }
}
