import Autodiff

/// Leave-one-out errors of penalised least squares in closed form, for many penalties at once.
///
/// With the hat matrix H_λ = Φ (ΦᵀΦ + 2 n λ I)⁻¹ Φᵀ the prediction of row i without that row misses
/// by eᵢ / (1 − H_ii). One eigendecomposition of ΦᵀΦ gives all λ in O(n m) each. An intercept that is
/// not penalised is taken out of features and targets first, and counts 1/n in every H_ii.
///
/// Allen, The relationship between variable selection and data augmentation (1974).
struct LeaveOneOut {
  private let rotated: Tensor
  private let spectrum: Tensor
  private let moments: Tensor
  private let targets: Tensor
  private let leverage: Double

  init(
    _ linearClass: LinearClass, inputs: Tensor, targets: Tensor
  ) throws(LinearAlgebraError) {
    var phi = linearClass.features(inputs)
    var targets = targets / deviations(of: targets)
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
  func errors(_ ridges: [Double]) -> [Double] {
    let count = Double(targets.shape[0])
    // Directions without variance carry nothing, whatever λ.
    let floor = 1e-14 * count * Swift.max(spectrum.max().scalar, .leastNormalMagnitude)
    return ridges.map { ridge in
      let shrinkage = 1 / maximum(spectrum + 2 * count * ridge, floor)
      let fitted = matmul(rotated, shrinkage.expandingShape(at: 1) * moments)
      let hat = matmul(square(rotated), shrinkage.expandingShape(at: 1)) + leverage
      return square((targets - fitted) / maximum(1 - hat, 1e-8)).mean().scalar
    }
  }
}
