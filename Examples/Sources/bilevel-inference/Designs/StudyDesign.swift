import Autodiff
import Inference
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
