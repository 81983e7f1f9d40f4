import Autodiff
import Neural
import Solvers

/// The iteration that `ITD` runs and differentiates.
public enum UnrolledUpdate: Sendable, Equatable {
  /// x ← x − step ∇f.
  case gradientDescent(step: Double)
  /// v ← momentum v − step ∇f(x);  x ← x + v. (Polyak)
  case heavyBall(step: Double, momentum: Double)
  /// x ← u − step ∇f(u);  u ← x + momentum (x − x₋). (Nesterov)
  case nesterov(step: Double, momentum: Double)
  /// Adam with its usual constants. (Kingma & Ba)
  ///
  /// The root of a second moment that is exactly 0 counts as constant; the first derivative is exact
  /// there too.
  case adam(learningRate: Double)

  /// The state of a run that starts at x: x and what the method remembers.
  func start(at x: Tensor) -> [Tensor] {
    switch self {
    case .gradientDescent: [x]
    case .heavyBall: [x, Tensor.zeros(like: x)]
    case .nesterov: [x, x]
    case .adam: [x, Tensor.zeros(like: x), Tensor.zeros(like: x)]
    }
  }

  /// The state after step number `index`, counted from 0.
  func step(
    _ state: [Tensor], _ index: Int,
    slope: (Tensor) throws(SolverError) -> Tensor
  ) throws(SolverError) -> [Tensor] {
    switch self {
    case .gradientDescent(let step): return [state[0] - step * (try slope(state[0]))]
    case .heavyBall(let step, let momentum):
      let velocity = momentum * state[1] - step * (try slope(state[0]))
      return [state[0] + velocity, velocity]
    case .nesterov(let step, let momentum):
      let next = state[1] - step * (try slope(state[1]))
      return [next, next + momentum * (next - state[0])]
    case .adam(let rate):
      var (x, adam) = (state[0], Adam(learningRate: rate))
      (adam.moments.stepCount, adam.moments.first, adam.moments.second) = (
        index, [state[1]], [state[2]]
      )
      adam.update(&x, along: try slope(x))
      return [x] + adam.moments.first + adam.moments.second
    }
  }
}
