import Autodiff
import HyperparameterProblems

/// The estimators that can be compared.
///
/// The raw value is the name on the command line, in tables and in legends.
enum EstimatorName: String, CaseIterable, Codable {
  /// The formula of the implicit function theorem at x as it is.
  case plain
  /// The same after one step preconditioned by the diagonal of the Hessian.
  case diagonal
  /// The same after one step by a few iterations of conjugate gradients.
  case conjugateGradients = "cg"
  /// The same after one Newton step.
  case newton
}

/// Why a command stops before it computes anything.
struct EstimatorsUnavailable: Error, CustomStringConvertible {
  var description: String {
    "this version of the program has no estimators yet; problems, exact answers and data can be "
      + "used from the module HyperparameterProblems"
  }
}

/// Estimates the hypergradient of a problem at approximate inner solutions by each estimator.
///
/// This is the only place that knows how estimators are computed. The points are in the scalar type
/// of the problem; `problem.inner`, `problem.outer` and `problem.hyperparameters` are all an
/// estimator may use, and the initialiser of `EstimatorCurve` from estimates measures its result.
///
/// - Parameters:
///   - problem: The problem, with its exact hypergradient.
///   - estimators: The estimators, in the order of the result.
///   - points: Approximate inner solutions with their true errors.
///   - seed: The seed of the problem, which names the curves.
/// - Returns: One curve to an estimator, each with one value to a point, in the order of `points`.
/// - Throws: Whatever an inner or linear solver throws.
func evaluate(
  _ problem: HyperparameterProblem, estimators: [EstimatorName], points: [InnerPoint],
  seed: UInt64
) throws -> [EstimatorCurve] {
  throw EstimatorsUnavailable()
}
