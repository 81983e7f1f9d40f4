import Autodiff
import ExampleSupport
import Inference
import Orthogonal

/// Everything that a replication of a study depends on, apart from the sample size and its number.
struct CoverageSpecification: Study, Encodable {
  /// The kernel baseline.
  struct Baseline: Encodable, Sendable {
    let lengthScale: Double
    /// The fixed λ.
    let ridge: Double

    var fixed: KBO { baseline(.fixed(ridge)) }
    var decaying: KBO { baseline(.rate(constant: 0.05, power: 0.6)) }

    private func baseline(_ rule: RidgeRule) -> KBO {
      KBO(.gaussian(lengthScale: lengthScale), ridge: rule, landmarkCount: 150)
    }
  }

  /// A simultaneous band over coordinates and points on a line.
  struct Band: Encodable, Sendable {
    var pointCount = 11
    let draws: Int
  }

  static let format = "bilevel-inference coverage 1"

  var version = 1
  let design: DesignName
  let methods: [StudyMethod]
  let learner: LearnerSettings
  let baseline: Baseline
  let foldCount: Int
  let sharedNoise: SharedNoise
  let band: Band?
  let seed: UInt64

  func crossFitting(seed: UInt64) -> CrossFitting {
    CrossFitting(foldCount: foldCount, seed: seed).with(sharedNoise: sharedNoise)
  }

  /// Kernels or features at the rows and their products in several forms.
  func byteCount(size: Int) -> Double {
    var landmarks = 150
    if case .kernel(let settings) = learner { landmarks = max(landmarks, settings.landmarkCount) }
    let (n, m) = (Double(size), Double(min(size, landmarks)))
    return 60 * n * m + 100 * m * m
  }

  /// Draws a sample and fits every method to it; the records are in the order of the methods.
  func maker() -> (StudyTask, inout PhiloxGenerator) throws -> [MethodRecord] {
    let design = design.study
    return { try records(of: design, size: $0.size, using: &$1) }
  }

  private func records(
    of design: some StudyDesign, size: Int, using generator: inout PhiloxGenerator
  ) throws -> [MethodRecord] {
    let sample = try design.sample(size, using: &generator)
    let seed = generator.next()
    return methods.map { method in
      do {
        let fit = try design.fit(method, to: sample, self, seed: seed)
        return try MethodRecord(fit, design, band: band, seed: seed)
      } catch {
        return MethodRecord(failure: "\(error)")
      }
    }
  }

  var label: String { design.rawValue }

  var options: [StudyOption] {
    [
      ("--design", design.rawValue), ("--seed", "\(seed)"),
      ("--methods", methods.map(\.rawValue).joined(separator: ",")),
      (
        "the learner (--ridge, --ridge-constant, --ridge-power, --bandwidth, --landmarks)",
        "\(learner)"
      ),
      ("--folds", "\(foldCount)"), ("--shared-noise", sharedNoise.rawValue),
      (
        "--kbo-ridge or --bandwidth",
        "λ = \(baseline.ridge) at length scale \(baseline.lengthScale)"
      ),
      ("--band", band.map { "\($0.draws) draws at \($0.pointCount) points" } ?? "off"),
    ]
  }
}

/// What is kept of one method on one sample, from which all tables follow.
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

extension MethodRecord {
  init(
    _ fit: FittedMethod, _ design: some StudyDesign, band: CoverageSpecification.Band?, seed: UInt64
  ) throws {
    let truth = design.gradient(at: design.evaluationPoint)
    let estimate = try fit.hypergradient(design.evaluationPoint)
    errors = (estimate.value - truth).scalars
    standardErrors = estimate.standardErrors.scalars
    slopeError = fit.slopeError
    truthPValue = estimate.jointTest(null: truth).value?.pValue
    if let stationaryPoint = design.stationaryPoint {
      stationarityPValue = try fit.hypergradient(stationaryPoint).jointTest().value?.pValue
      // A root that is not identified is no failure of the gradient.
      if let root = try? fit.root?() {
        rootErrors = (root.value - stationaryPoint).scalars
        rootStandardErrors = root.standardErrors.scalars
      }
    }
    // Not every method and design has a band.
    let line = design.line(pointCount: band?.pointCount ?? 0)
    guard let band, !line.isEmpty, let estimate = try fit.hypergradients?(line) else { return }
    let truths = Tensor.concatenated(line.map(design.gradient), alongAxis: 0)
    self.band = BandRecord(
      largestError: (abs(estimate.value - truths) / estimate.standardErrors).max().scalar,
      criticalValue: try MultiplierBootstrap(draws: band.draws, seed: seed)
        .criticalValue(of: estimate))
  }
}
