import Autodiff

/// Leave-one-out errors of penalised least squares in closed form, for many penalties at once.
///
/// With the hat matrix H_λ = Φ (ΦᵀΦ + n μ I)⁻¹ Φᵀ, μ = 2 λ, the prediction of row i without that row misses
/// by eᵢ / (1 − H_ii). One eigendecomposition of ΦᵀΦ gives all λ in O(n m) each. An intercept that is
/// not penalised is taken out of features and targets first, and counts 1/n in every H_ii.
///
/// Allen, The relationship between variable selection and data augmentation (1974).
package struct LeaveOneOut {
  private let rotated: Tensor
  private let spectrum: Tensor
  private let moments: Tensor
  private let targets: Tensor
  private let leverage: Double

  package init(
    _ linearClass: LinearClass, inputs: Tensor, targets: Tensor
  ) throws(LinearAlgebraError) {
    var phi = linearClass.features(inputs)
    var targets = targets / targets.columnDeviations
    leverage = linearClass.penalty.sparesIntercept ? 1 / Double(inputs.shape[0]) : 0
    if linearClass.penalty.sparesIntercept {
      phi = phi.slice(0..<phi.shape[1] - 1, alongAxis: 1)
      phi = phi - phi.mean(alongAxis: 0)
      targets = targets - targets.mean(alongAxis: 0)
    }
    let (values, vectors) = try symmetricEigen(matmul(phi, phi, transposeA: true))
    rotated = matmul(phi, vectors)
    spectrum = maximum(values, 0)
    moments = matmul(rotated, targets, transposeA: true)
    self.targets = targets
  }

  /// The mean squared leave-one-out error for every λ, in units of the targets' variances.
  package func errors(_ ridges: [Double]) -> [Double] {
    let (count, width) = (targets.shape[0], targets.shape[1])
    // Directions without variance carry nothing, whatever λ.
    let floor = 1e-14 * Double(count) * Swift.max(spectrum.max().scalar, .leastNormalMagnitude)
    // One column for each λ, then one for each λ and target: two products do all.
    let penalties = Double(count) * Tensor(ridges.map { RidgePenalty(ridge: $0).shift })
    let shrinkage = 1 / maximum(spectrum.expandingShape(at: 1) + penalties, floor)
    let hat = matmul(square(rotated), shrinkage) + leverage
    let weights = shrinkage.expandingShape(at: 2) * moments.expandingShape(at: 1)
    let fitted = matmul(rotated, weights.reshaped(to: [moments.shape[0], ridges.count * width]))
      .reshaped(to: [count, ridges.count, width])
    let errors = targets.expandingShape(at: 1) - fitted
    let leftOut = errors / maximum(1 - hat, 1e-8).expandingShape(at: 2)
    return square(leftOut).mean(alongAxes: [0, 2]).scalars
  }
}

extension Tensor {
  /// The standard deviation of every column, [n, m] to [m]; 1 for a constant one.
  package var columnDeviations: Tensor {
    let deviation = sqrt(variance(alongAxes: [0]))
    return select(deviation .> 0, deviation, Tensor.ones(like: deviation))
  }

  /// The columns with a column of ones behind them, [n, m] to [n, m + 1].
  package var withIntercept: Tensor {
    .concatenated([self, .ones([shape[0], 1], scalarType)], alongAxis: 1)
  }
}
