import Autodiff
import Solvers

/// A change of the inner variable, x = φ(z, y), around a frozen point x₀.
///
/// The implicit function theorem in z gives another estimator of the same hypergradient, with
///
///     Ω^φ = g₂ + J̃ᵀ g₁,   J̃ = −(F₁ + M)⁻¹ (F₂ + N − M φ₂),
///     M = φ₁⁻ᵀ (Σ Fᵢ (φᵢ)₁₁) φ₁⁻¹,   N = φ₁⁻ᵀ (Σ Fᵢ (φᵢ)₁₂);
///
/// M and N vanish at x*. It is super-efficient where the adjoint in z does not change with y to
/// first order. The layer needs φ only; M and N follow by differentiation.
public protocol Reparameterization<Outer>: Sendable {
  /// The outer variable.
  associatedtype Outer: TensorTree

  /// φ(z, y), [n]: invertible in z, twice differentiable, made of tensor operations.
  ///
  /// - Parameter model: x₀ and y, and products and solves with F₁(x₀, y) that are differentiable
  ///   in y.
  func point(_ z: Tensor, _ model: FrozenModel<Outer>) throws(SolverError) -> Tensor

  /// z₀, [n], with φ(z₀, y) = x₀.
  func coordinates(_ model: FrozenModel<Outer>) throws(SolverError) -> Tensor
}

/// The inner problem at a frozen point x₀, as a function of y.
public struct FrozenModel<Outer: TensorTree> {
  /// x₀, [n], a constant.
  public let point: Tensor
  /// y, traced.
  public let outer: Outer
  let system: ImplicitSystem

  /// F₁(x₀, y) v, differentiable in v and y.
  public func product(_ v: Tensor) throws(SolverError) -> Tensor {
    try system.product(point, v, false)
  }

  /// F₁(x₀, y)⁻¹ b, differentiable in b and y.
  public func solve(_ b: Tensor) throws(SolverError) -> Tensor {
    try system.solve(point, b, false)
  }

  /// The diagonal of F₁(x₀, y), [n], differentiable in y, by n products.
  public func diagonal() throws(SolverError) -> Tensor {
    let product: LinearOperator.Product = { v throws(SolverError) in try self.product(v) }
    return try LinearOperator(
      size: point.elementCount, scalarType: point.scalarType, product: product,
      transposedProduct: product
    ).diagonal()
  }

  /// F₁₁(x₀, y)[u, u], [n]: the second derivative of F along u.
  public func curvature(along u: Tensor) throws(SolverError) -> Tensor {
    try jvp(at: point, along: u) { x throws(SolverError) in try system.product(x, u, false) }
      .tangent
  }
}
