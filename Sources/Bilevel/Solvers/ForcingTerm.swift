/// How accurately an inexact Newton method solves its linear systems: the relative residual
///
///     η₊ = 0.9 (‖F₊‖ / ‖F‖)²
///
/// which keeps quadratic convergence and wastes little far from the solution. It is at most ½, does
/// not fall much faster than it was (η₊ ≥ 0.9 η² while that exceeds 0.1), and is never more accurate
/// than half of what remains to the threshold.
///
/// Eisenstat and Walker, Choosing the forcing terms in an inexact Newton method (1996), choice 2.
struct ForcingTerm {
  private var value = 0.5
  private var lastResidual: Double?

  mutating func next(_ run: InnerRun) -> Double {
    if let lastResidual {
      let ratio = run.residual / lastResidual
      let safeguard = 0.9 * value * value
      value = max(0.9 * ratio * ratio, safeguard > 0.1 ? safeguard : 0)
    }
    lastResidual = run.residual
    value = min(value, 0.5)
    return min(max(value, 0.5 * run.threshold / run.residual), 0.5)
  }
}
