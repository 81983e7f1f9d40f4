import Autodiff
import Inference
import Solvers

/// A root of an orthogonal gradient with the derivative there, by Newton's method and the certificate of
/// every inner problem.
///
/// - Throws: `OrthogonalError.rootNotIdentified` where the derivative is singular to rounding, and
///   `.rootNotFound` where the search does not end at a root.
func orthogonalRoot(
  from start: Tensor, of gradient: @escaping InnerProblem.VectorFunction
) throws(SolverError) -> (point: Tensor, derivative: Tensor) {
  let problem = try InnerProblem(.root(gradient), startingAt: start, scale: 0)
  // Intervals are far wider than that; gradients at the root are asked to be zero.
  let stopping = StoppingRule(accuracy: 1e-11, maximumIterations: 100)
  let solution = try Newton(stopping: stopping).solve(problem)
  let jacobian: LinearOperator
  if let kept = solution.jacobian {
    jacobian = kept
  } else {
    jacobian = try problem.jacobian(at: solution.value)
  }
  let derivative = try jacobian.dense()
  if derivative.isFinite { try derivative.requireInvertible() }
  guard solution.status.isConverged else {
    throw .function(
      OrthogonalError.rootNotFound(
        iterations: solution.status.iterations, gradientNorm: solution.status.residual))
  }
  return (solution.value, derivative)
}

extension Estimate {
  /// The root of a mean score as an estimate, this being the score there: its influence is −A⁻¹ φ, with
  /// the derivative A of the mean.
  func root(
    at point: Tensor, derivative: Tensor, names: [String]
  ) throws(SolverError) -> Estimate {
    try calling {
      let inverse = try solve(derivative, -Tensor.identity(names.count))
      let influence = try mapped(by: inverse, names: names).influence
      return try Estimate(value: point, names: names, influence: influence)
    }
  }

  /// The estimate of every split, aggregated by the median.
  static func aggregated<Split>(
    _ splits: [Split], _ body: (Split) throws(SolverError) -> Estimate
  ) throws(SolverError) -> Estimate {
    var estimates: [Estimate] = []
    for split in splits { estimates.append(try body(split)) }
    if estimates.count == 1 { return estimates[0] }
    return try calling { try Estimate.medianAggregated(estimates) }
  }
}
