import Autodiff
import Bilevel
import Solvers

/// Regularised kernel bilevel gradients: the plug-in functional hypergradient with kernel ridge
/// regression for the inner solution, the baseline of orthogonal gradients.
///
///     ĉ = K(x, X_inner) (K + n λ I)⁻¹ dg,   gradient = mean ĉ (ĉᵀω + r̂ − y) over outer rows
///
/// With a fixed λ it converges to the gradient of the regularised problem, which differs from ∇F by
/// a bias that no amount of data shows; its intervals do not account for it.
///
/// El Khoury et al., Learning theory for kernel bilevel optimization (2025).
public struct KBO: Sendable {
  /// The learner of the inner solution.
  public let learner: NuisanceLearner

  /// - Parameters:
  ///   - kernel: k.
  ///   - ridge: λ of (K + n λ I)⁻¹: `.fixed` as in the paper, or `.rate` to let it decay.
  ///   - landmarkCount: The most landmarks; all training rows unless given.
  public init(_ kernel: Kernel, ridge: RidgeRule, landmarkCount: Int = .max) {
    learner = .kernelRidge(
      kernel, ridge: ridge, landmarkCount: landmarkCount, hasIntercept: false)
  }

  /// Two half-samples, each trained on one and evaluated on the other, averaged.
  public func fit(_ problem: AffineProblem, seed: UInt64 = 0) throws(SolverError) -> AffineFit {
    try problem.fit(
      .plugIn, nuisances: learner, crossFitting: CrossFitting(foldCount: 2, seed: seed))
  }

  /// Trained on all of the inner sample and evaluated on the outer one.
  public func fit(
    _ problem: TwoSampleAffineProblem, seed: UInt64 = 0
  ) throws(SolverError) -> AffineFit {
    let (inner, outer) = (problem.inner, problem.outer)
    let rows = Tensor(indices: Array(0..<inner.count))
    let predictions = try inner.regression(
      learner, on: rows, at: outer.inputs, PhiloxGenerator(seed: seed))
    let atOuter = inner.nuisances(
      of: predictions, intercept: inner.known.intercept ? .zeros([outer.count]) : nil,
      outcome: .zeros([outer.count]))
    return try problem.fit(.plugIn, given: atOuter, outer: atOuter)
  }
}
