import Autodiff
import Bilevel
import Solvers
import Neural

/// ρ(x) = dP_outer / dP_inner of the inputs, where inner and outer sample are different.
public enum DensityRatio: Sendable {
  /// Both samples are of one population: ρ = 1.
  case one
  /// ρ at the rows of the inner sample, [n].
  case known(Tensor)
  /// ρ by logistic regression of the sample's label in a class of functions, off-fold, cut at `limit`:
  /// n_inner / n_outer times the odds of the outer sample.
  case estimated(LinearClass, limit: Double = 20)
}

extension DensityRatio {
  /// Density ratios at points, from a classifier of rows of both samples.
  static func estimate(
    in linearClass: LinearClass, limit: Double, inner: Tensor, outer: Tensor, at points: Tensor
  ) throws(SolverError) -> Tensor {
    let inputs = Tensor.concatenated([inner, outer], alongAxis: 0)
    let isOuter = Tensor.concatenated(
      [.zeros([inner.shape[0]]), .ones([outer.shape[0]])], alongAxis: 0)
    let layer = FuncID<[Tensor], Tensor>(outputCount: 1, in: .linear(linearClass)) { _, v, _, y in
      Losses.logistic(v[0..., 0], y)
    }
    let logOdds = try layer.solution(
      at: [], on: FunctionalSample(inputs: inputs, labels: isOuter))(points)[0..., 0]
    let prior = Double(inner.shape[0]) / Double(outer.shape[0])
    return minimum(exp(logOdds) * prior, limit)
  }
}
