import Autodiff
import Inference
import InferenceDesigns
import Orthogonal

/// A population with a known gradient, and the estimators that apply to it.
protocol StudyDesign: Sendable {
  associatedtype Sample

  /// Where the gradient is estimated, [d].
  var evaluationPoint: Tensor { get }
  /// ω*, where the gradient is zero; nil where it has no closed form.
  var stationaryPoint: Tensor? { get }
  /// The methods that apply.
  var methods: [StudyMethod] { get }
  /// ∇F(ω), [d].
  func gradient(at outer: Tensor) -> Tensor
  /// Points for a simultaneous band; empty where there is no line of interest.
  func line(pointCount: Int) -> [Tensor]

  func sample(_ count: Int, using generator: inout PhiloxGenerator) throws -> Sample
  func fit(
    _ method: StudyMethod, to sample: Sample, _ specification: CoverageSpecification, seed: UInt64
  ) throws -> FittedMethod
}

extension StudyDesign {
  func line(pointCount: Int) -> [Tensor] { [] }
}

/// What a study asks of a fitted estimator.
struct FittedMethod {
  /// The gradient at ω.
  let hypergradient: (_ outer: Tensor) throws -> Estimate
  /// Gradients at several ω as one estimate.
  var hypergradients: ((_ grid: [Tensor]) throws -> Estimate)?
  /// The stationary point, where the method has one.
  var root: (() throws -> Estimate)?
  /// An estimate without bias of E‖ĵ − j‖², where there is one.
  var slopeError: Double?
}

extension FittedMethod {
  init(_ fit: AffineFit) {
    hypergradient = { try fit.hypergradient(at: $0) }
    hypergradients = { try fit.hypergradients(at: $0) }
    root = { try fit.root() }
  }
}

/// A study of an affine design.
struct AffineStudy<Design: AffineDesign>: StudyDesign {
  let design: Design
  /// Whether it has no labels, so that a residual gradient exists.
  var isResidual = false

  var evaluationPoint: Tensor { design.evaluationPoint }
  var stationaryPoint: Tensor? { design.stationaryPoint }
  var methods: [StudyMethod] {
    StudyMethod.allCases.filter { $0 != .residual || isResidual }
  }

  func gradient(at outer: Tensor) -> Tensor { design.gradient(at: outer) }
  func line(pointCount: Int) -> [Tensor] { design.line(pointCount: pointCount) }

  func sample(_ count: Int, using generator: inout PhiloxGenerator) throws -> AffineProblem {
    try design.sample(count, using: &generator)
  }

  func fit(
    _ method: StudyMethod, to problem: AffineProblem, _ specification: CoverageSpecification,
    seed: UInt64
  ) throws -> FittedMethod {
    let learner = specification.learner.learner
    let plan = specification.crossFitting(seed: seed)
    let fit =
      switch method {
      case .oracle: try problem.fit(given: design.nuisances(at: problem.inputs))
      case .obigrad: try problem.fit(nuisances: learner, crossFitting: plan)
      case .obigradSplit:
        try problem.fit(nuisances: learner, crossFitting: plan.with(sharedNoise: .split))
      case .plugin: try problem.fit(.plugIn, nuisances: learner, crossFitting: plan)
      case .pluginInSample:
        try problem.fit(
          .plugIn, given: problem.nuisances(learner, trainedOn: problem, seed: seed))
      case .kboFixed: try specification.baseline.fixed.fit(problem, seed: seed)
      case .kboDecaying: try specification.baseline.decaying.fit(problem, seed: seed)
      // The nuisances are not used.
      case .residual: try problem.fit(.residual, given: design.nuisances(at: problem.inputs))
      }
    var method = FittedMethod(fit)
    method.slopeError = slopeError(of: fit, on: problem)
    return method
  }

  /// An estimate of E‖ĵ − j‖² from out-of-fold errors, by how much larger they are than those of the
  /// truth; nil where nuisances are not cross-fitted.
  private func slopeError(of fit: AffineFit, on problem: AffineProblem) -> Double? {
    guard !fit.nuisanceErrors.isEmpty else { return nil }
    let first = problem.known.intercept ? 0 : 1
    let slopes = fit.nuisanceErrors[first..<first + problem.dimension]
    let noise = square(problem.innerSlope - design.nuisances(at: problem.inputs).slope)
    return slopes.reduce(0) { $0 + $1.rootMeanSquare * $1.rootMeanSquare }
      - noise.mean(alongAxis: 0).sum().scalar
  }
}

/// A study of two samples with different inputs.
struct TwoSampleStudy: StudyDesign {
  private let design = TwoSampleIV()

  var evaluationPoint: Tensor { design.evaluationPoint }
  var stationaryPoint: Tensor? { design.stationaryPoint }
  var methods: [StudyMethod] { [.oracle, .obigrad, .plugin] }

  func gradient(at outer: Tensor) -> Tensor { design.gradient(at: outer) }

  func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) throws -> TwoSampleAffineProblem {
    try design.sample(count, using: &generator)
  }

  func fit(
    _ method: StudyMethod, to problem: TwoSampleAffineProblem,
    _ specification: CoverageSpecification, seed: UInt64
  ) throws -> FittedMethod {
    if method == .oracle {
      return FittedMethod(
        try problem.fit(
          given: design.nuisances(at: problem.inner.inputs),
          outer: design.nuisances(at: problem.outer.inputs)))
    }
    return FittedMethod(
      try problem.fit(
        method == .plugin ? .plugIn : .orthogonal, nuisances: specification.learner.learner,
        crossFitting: specification.crossFitting(seed: seed)))
  }
}

/// A study of losses that are not quadratic.
struct CrossEntropyStudy: StudyDesign {
  private let design = CrossEntropy()

  var evaluationPoint: Tensor { design.evaluationPoint }
  var stationaryPoint: Tensor? { nil }
  var methods: [StudyMethod] { [.oracle, .obigrad, .plugin] }

  func gradient(at outer: Tensor) -> Tensor { design.gradient(at: outer) }

  func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) -> BilevelSample<[Tensor], [Tensor]> {
    design.sample(count, using: &generator)
  }

  func fit(
    _ method: StudyMethod, to sample: BilevelSample<[Tensor], [Tensor]>,
    _ specification: CoverageSpecification, seed: UInt64
  ) throws -> FittedMethod {
    if method == .oracle {
      return FittedMethod(hypergradient: { outer in
        let rows = design.oracleScores(of: sample, at: outer)
        return try Estimate(
          value: rows.mean(alongAxis: 0), names: (0..<rows.shape[1]).map { "w[\($0)]" },
          influence: [
            InfluenceRows(rows, sample: SampleIdentity(fingerprint: [sample.inner.inputs]))
          ])
      })
    }
    var layer = design.layer(
      nuisances: specification.learner.learner,
      crossFitting: specification.crossFitting(seed: seed))
    layer.isOrthogonal = method != .plugin
    let fit = try layer.fit(on: sample, at: evaluationPoint)
    return FittedMethod(hypergradient: { try fit.hypergradient(at: $0) })
  }
}
