import Autodiff

extension LinearOperator {
  /// The refusal of an operator that is not symmetric to rounding, nil for one that is.
  ///
  /// With u and v of independent standard normal entries, uᵀ(A − Aᵀ)v has standard deviation
  /// ‖A − Aᵀ‖ and E‖A v‖² = ‖A‖² in the Frobenius norm, so that
  ///
  ///     |uᵀA v − vᵀA u| / (‖A u‖ + ‖A v‖)
  ///
  /// is of the size of ‖A − Aᵀ‖ / ‖A‖ in every dimension. Costs two products, once per operator. The
  /// vectors are seeded: the answer is the same every time.
  func asymmetryRefusal() throws(SolverError) -> SolverStatus.Outcome? {
    guard size > 1 else { return nil }
    let asymmetry = try prepared(PreparationKey("asymmetry")) { () throws(SolverError) -> Double in
      var generator = PhiloxGenerator(seed: 0x5359_4D4D)
      let u = Tensor.normal([size], scalarType, using: &generator)
      let v = Tensor.normal([size], scalarType, using: &generator)
      let (au, av) = (try self(u), try self(v))
      let (size, difference) = (norm(au) + norm(av), abs(inner(u, av) - inner(v, au)))
      return difference == 0 ? 0 : difference / size
    }
    return Solvers.asymmetryRefusal(asymmetry, scalarType)
  }
}

/// The refusal of a relative asymmetry that is more than rounding explains.
func asymmetryRefusal(_ asymmetry: Double, _ type: ScalarType) -> SolverStatus.Outcome? {
  if !asymmetry.isFinite { return .notFinite }
  let accepted = type == .float32 ? 1e-3 : 1e-8
  return asymmetry <= accepted ? nil : .notSymmetric(asymmetry: asymmetry)
}
