import Autodiff
import Inference
import Solvers

/// How far an action value is from solving the Bellman equation.
///
/// With δ = R + γ Q(S′, π) − Q(S, A) and u = E[δ | S, A], the temporal-difference error has mean
/// square E[δ²] = E[u²] + noise, and only u is an error of Q. By single transitions the two are not
/// told apart; by nuisances they are:
///
///     E[u²] = E[2 û δ − û²] − E[(û − u)²]
///
/// so an error of the nuisance enters by its square.
public struct BellmanError: Sendable {
  /// √ mean δ², in units of the value.
  public let temporalDifference: Double
  /// The mean of 2 û δ − û² as an estimate of E[u²]; where Q solves the equation both are 0 and the
  /// interval is only a rough one.
  public let meanSquare: Estimate

  /// √ E[u²], in units of the value; 0 where its estimate is negative.
  public var rootMeanSquare: Double { max(0, meanSquare.value[0].scalar).squareRoot() }
}

extension AffineFit {
  /// The Bellman error at ω, of a fit by the orthogonal score whose targets are those of a Bellman
  /// equation.
  func bellmanError(at outer: Tensor) throws(SolverError) -> BellmanError {
    var squares: [Double] = []
    let meanSquare = try Estimate.aggregated(splits) { split throws(SolverError) in
      try split.estimate(["mean square"], shift: .zeros([1])) { terms in
        let pairs = terms.pairs.map { pair in
          (δ: pair.residual.scalar(at: outer), u: pair.nuisance?.scalar(at: outer))
        }
        squares.append(square(pairs[0].δ).mean().scalar)
        // A score without nuisances says nothing of u.
        let rows = pairs.map { δ, u in u.map { 2 * $0 * δ - square($0) } ?? .zeros(like: δ) }
        return (rows.reduce(Tensor(0), +) / Double(pairs.count)).expandingShape(at: 1)
      }
    }
    return BellmanError(
      temporalDifference: (squares.reduce(0, +) / Double(squares.count)).squareRoot(),
      meanSquare: meanSquare)
  }
}
