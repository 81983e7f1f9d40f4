import Autodiff

/// An inner problem F(x, y) = 0 with its derivatives in closed form.
///
/// x [n] is the inner variable, y [m] the outer one. The closed forms do not use automatic
/// differentiation: they are the independent answer that differentiated programs are compared with.
public protocol InnerRoot: Sendable {
  /// n, the number of inner variables.
  var innerSize: Int { get }

  /// m, the number of outer variables.
  var outerSize: Int { get }

  /// F(x, y), [n].
  func residual(_ x: Tensor, _ y: Tensor) -> Tensor

  /// ∂F/∂x, [n, n].
  func jacobian(_ x: Tensor, _ y: Tensor) -> Tensor

  /// (∂F/∂y)ᵀ p, [m], for p [n].
  func crossTransposedProduct(_ p: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor

  /// The size of the terms of F(x, y) that cancel at the solution, to compare the residual with.
  func scale(_ x: Tensor, _ y: Tensor) -> Double
}

extension InnerRoot {
  /// x*(y), the root, to ‖F‖ ≤ 10⁻¹³ times the terms that cancel in it: Newton's method with the
  /// closed-form Jacobian, each step halved until the residual falls.
  ///
  /// On a linear F, as of ridge regression, that is one direct solve and its refinement.
  ///
  /// - Parameters:
  ///   - y: [m].
  ///   - start: [n]; zero if nil.
  /// - Throws: `ProblemError.notSolved`, or `ProblemError.singularJacobian`.
  public func solution(at y: Tensor, from start: Tensor? = nil) throws(ProblemError) -> Tensor {
    var x = start ?? Tensor.zeros([innerSize], y.scalarType)
    var residual = residual(x, y)
    var size = residual.norm().scalar
    for _ in 0..<200 {
      let step = try solved(jacobian(x, y), residual)
      var length = 1.0
      var next = x - step
      var nextResidual = self.residual(next, y)
      // Written so that a residual that is not finite halves the step too.
      while !(nextResidual.norm().scalar < size), length > 1e-12 {
        length /= 2
        next = x - length * step
        nextResidual = self.residual(next, y)
      }
      let nextSize = nextResidual.norm().scalar
      // The residual falls until it is rounding: that, not a tolerance, ends the iteration.
      guard nextSize < size else { break }
      (x, residual, size) = (next, nextResidual, nextSize)
    }
    let scale = scale(x, y)
    guard size <= 1e-13 * scale else { throw .notSolved(residual: size, scale: scale) }
    return x
  }

  /// p with (∂F/∂x)ᵀ p = g, [n], the adjoint of an outer gradient.
  ///
  /// - Throws: `ProblemError.singularJacobian`.
  public func adjoint(_ g: Tensor, _ x: Tensor, _ y: Tensor) throws(ProblemError) -> Tensor {
    try solved(jacobian(x, y).transposed(), g)
  }

  private func solved(_ a: Tensor, _ b: Tensor) throws(ProblemError) -> Tensor {
    do {
      return try solve(a, b)
    } catch {
      throw .singularJacobian(reason: "\(error)")
    }
  }
}
