/// How accurately an inexact Newton method solves its linear systems.
///
/// The relative residual is
///
///     η₊ = 0.9 (‖F₊‖ / ‖F‖)²
///
/// which keeps quadratic convergence and wastes little far from the solution. It is at most 0.1,
/// because half of ‖F‖ often lies in the stiff directions alone, and solving for those is steepest
/// descent. It never asks for more than half of what remains to the
/// threshold, as far as that is known, nor for more than a tenth of the accuracy in one step.
///
/// Eisenstat and Walker, Choosing the forcing terms in an inexact Newton method (1996), choice 2.
struct ForcingTerm {
  private var value = 0.1
  private var lastResidual: Double?

  mutating func next(_ run: InnerRun) -> Double {
    if let lastResidual {
      let ratio = run.residual / lastResidual
      value = 0.9 * ratio * ratio
    }
    lastResidual = run.residual
    value = min(value, 0.1)
    return min(max(value, run.leastForcing, 0.5 * run.threshold / run.residual), 0.5)
  }
}
