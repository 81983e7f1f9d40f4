import Autodiff

/// How gradient methods choose their steps η.
public enum StepRule: Sendable, Equatable {
  /// The same step always; below 2/L for gradient descent and at most 1/L for the accelerated
  /// method, with L the largest curvature.
  case fixed(Double)
  /// The last step, shrunk by a factor until the objective falls enough.
  ///
  /// A step that is accepted at once grows by a factor before the next iteration of gradient
  /// descent; 1 keeps it.
  case backtracking(initial: Double = 1, shrinkage: Double = 0.5, growth: Double = 1.1)

  func validate(_ solver: String) {
    switch self {
    case .fixed(let step):
      guard step > 0, step.isFinite else {
        stop(solver, "the step must be positive, found \(step)")
      }
    case .backtracking(let initial, let shrinkage, let growth):
      guard initial > 0, initial.isFinite, shrinkage > 0, shrinkage < 1, growth >= 1,
        growth.isFinite
      else {
        stop(
          solver,
          """
          backtracking needs a positive initial step, a shrinkage between 0 and 1 and a growth of \
          at least 1, found \(initial), \(shrinkage) and \(growth)
          """)
      }
    }
  }
}
