import Autodiff
import Solvers

/// P of the step x − P(x, y)⁻¹ F(x, y) that a preconditioned estimator takes before the implicit
/// function theorem is applied.
///
/// Consistent for any invertible P, because F(x*) = 0. Not to be confused with the preconditioner of
/// a linear solver, which changes what a solve costs and not where the hypergradient is evaluated.
/// The first-order error is multiplied by I − P⁻¹ F₁, so a P⁻¹ that overshoots makes it larger.
public protocol StepPreconditioner: Sendable {
  /// Whether F ↦ P⁻¹ F is linear.
  var isLinear: Bool { get }

  /// The map F ↦ P(x)⁻¹ F of vectors; what it costs to prepare is spent once, here.
  ///
  /// - Parameters:
  ///   - problem: The inner problem, for its Jacobian.
  ///   - x: Where.
  func inverse(
    for problem: InnerProblem, at x: Tensor
  ) throws(SolverError) -> LinearOperator.Product
}

extension StepPreconditioner {
  public var isLinear: Bool { true }
}

/// P = I / step: one gradient step.
public struct IdentityStep: StepPreconditioner {
  /// The step; nil is 1 / λmax(F₁), by power iteration.
  public var step: Double?

  /// A gradient step of a given or the longest safe length.
  public init(step: Double? = nil) { self.step = step }

  public func inverse(
    for problem: InnerProblem, at x: Tensor
  ) throws(SolverError) -> LinearOperator.Product {
    if let step { return { v throws(SolverError) in step * v } }
    let jacobian = try problem.jacobian(at: x)
    let largest = try jacobian.largestEigenvalue(preconditionedBy: { v throws(SolverError) in v })
    guard largest > 0 else {
      throw .unsolved(
        SolverStatus(
          refusal: .indefinite(
            curvature: largest, blocks: [SolverStatus.BlockShare(name: "", share: 1)]),
          by: "IdentityStep", scale: problem.scale, evaluations: jacobian.productCount),
        of: .inner)
    }
    return { v throws(SolverError) in v * (1 / largest) }
  }
}

/// P = the diagonal of F₁, scaled so that the step cannot overshoot.
///
/// Unscaled, the diagonal can multiply the error by 40 on correlated problems; with
/// λmax(P⁻¹ F₁) ≤ 1 no component of it grows.
public struct DiagonalStep: StepPreconditioner {
  /// Where the diagonal comes from.
  public enum Diagonal: Sendable {
    /// n products with F₁.
    case exact
    /// This many products with random signs (Bekas, Kokiopoulou, Saad 2007), seeded.
    case estimated(probes: Int, seed: UInt64)
  }

  /// Where the diagonal comes from.
  public var diagonal: Diagonal
  /// Whether P⁻¹ is divided by λmax(P⁻¹ F₁) where that exceeds 1.
  public var isSafe: Bool

  /// A step by the diagonal, scaled down where it would overshoot unless `isSafe` is false.
  public init(_ diagonal: Diagonal = .exact, isSafe: Bool = true) {
    self.diagonal = diagonal
    self.isSafe = isSafe
  }

  public func inverse(
    for problem: InnerProblem, at x: Tensor
  ) throws(SolverError) -> LinearOperator.Product {
    let jacobian = try problem.jacobian(at: x)
    let elements = try elements(of: jacobian)
    if let index = elements.scalars.firstIndex(where: { !($0 > 0) }) {
      let block = jacobian.blocks.first { $0.range.contains(index) }?.name ?? ""
      let value = elements.scalars[index]
      throw .unsolved(
        SolverStatus(
          refusal: .indefinite(
            curvature: value, blocks: [SolverStatus.BlockShare(name: block, share: 1)]),
          by: "DiagonalStep", scale: problem.scale, evaluations: jacobian.productCount),
        of: .inner)
    }
    let raw: LinearOperator.Product = { v throws(SolverError) in v / elements }
    guard isSafe else { return raw }
    let largest = try jacobian.largestEigenvalue(preconditionedBy: raw)
    let scale = largest > 1 ? 1 / largest : 1
    return { v throws(SolverError) in scale * v / elements }
  }

  private func elements(of jacobian: LinearOperator) throws(SolverError) -> Tensor {
    guard case .estimated(let probes, let seed) = diagonal else { return try jacobian.diagonal() }
    let estimate = try jacobian.diagonal(products: max(1, probes), seed: seed)
    if estimate.elementCount == 0 { return estimate }
    // Off-diagonal elements are noise here, which can hide a positive element: the largest one
    // stands in for it, which gives a smaller step there.
    return select(estimate .> 0, estimate, estimate.max().broadcast(to: estimate.shape))
  }
}
