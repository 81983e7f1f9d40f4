import Autodiff
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
