import Autodiff
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
      let (decay1, decay2, epsilon) = (0.9, 0.999, 1e-8)
      let g = try slope(state[0])
      let m = decay1 * state[1] + (1 - decay1) * g
      let v = decay2 * state[2] + (1 - decay2) * square(g)
      let correction1 = 1 - power(decay1, index + 1)
      let correction2 = 1 - power(decay2, index + 1)
      let isZero = v .== 0
      let safe = sqrt(select(isZero, Tensor.ones(like: v), v) / correction2)
      let root = select(isZero, Tensor.zeros(like: v), safe)
      let update = (m / correction1) / (root + epsilon)
      return [state[0] - rate * update, m, v]
    }
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, factor, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= factor }
      (factor, rest) = (factor * factor, rest >> 1)
    }
    return result
  }
}
