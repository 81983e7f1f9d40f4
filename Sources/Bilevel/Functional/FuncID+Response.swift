import Autodiff
import Solvers

extension FuncID {
  /// h(x) with the derivative ḣ = −C⁻¹ ∂_ω∂ᵥL ω̇ + ∂ₓh ẋ.
  ///
  /// - Parameters:
  ///   - predict: h with constant weights.
  ///   - v: h at the inner inputs.
  func respond(
    to x: Tensor, _ predict: @escaping (Tensor) -> Tensor, _ outer: Outer,
    _ sample: FunctionalSample<Labels>, _ v: Tensor, _ fit: AdjointFit<Outer, Labels>
  ) throws(SolverError) -> Tensor {
    let points = stopGradient(x)
    let inner = stopGradient(sample.inputs)
    let constant = predict(points)
    func refusing(_ derivative: Tensor, _ b: Tensor) -> Tensor {
      refusingDerivatives(
        derivative, like: [b, x] + outer.tensors + sample.labels.tensors,
        reason: """
          a second derivative goes through FuncID with an adjoint that is trained or found in \
          another class, and only its first derivative is defined. Use a linear class with \
          adjoint .automatic, or AID
          """)
    }
    let response = try implicitlyDifferentiated(
      constant, name: "FuncID",
      residual: { _ throws(SolverError) in try loss.slope(outer, v, sample) },
      inverse: { _, b, isTransposed throws(SolverError) in
        let (from, to) = isTransposed ? (points, inner) : (inner, points)
        let adjoint = try hidingLevels { () throws(SolverError) in
          try fit.adjoint(of: .init(points: from, values: stopGradient(b)), at: to)
        }
        return refusing(-adjoint, b)
      })
    guard x.isTraced else { return response }
    // With constant outer variables h is a function like any other, to every order.
    guard response.isTraced else { return predict(x) }
    // Otherwise ∂ₓh depends on them in a way that the adjoint does not tell.
    let moved = try implicitlyDifferentiated(
      constant, name: "FuncID", residual: { _ throws(SolverError) in x },
      inverse: { _, b, isTransposed throws(SolverError) in
        let derivative = hidingLevels {
          isTransposed
            ? vjp(at: points, of: predict).pullback(stopGradient(b))
            : jvp(at: points, along: stopGradient(b), of: predict).tangent
        }
        return refusing(-derivative, b)
      })
    return moved + (response - constant)
  }
}
