import Autodiff

/// Penalised least squares in a linear class as a linear map from targets at training rows to
/// predictions at other rows.
///
///     T ↦ Φ(x) (Φᵀ D Φ + 2 λ I)⁻¹ Φᵀ D T,   D = diag(w), Σᵢ wᵢ = 1
///
/// It is the minimiser of Σᵢ wᵢ ½ ‖Tᵢ − f(xᵢ)‖² + λ ‖f‖² in the class, differentiable in the
/// targets to every order because it is linear in them.
struct Smoother {
  private let response: Tensor
  private let weightedFeatures: Tensor

  /// - Parameters:
  ///   - inputs: Training rows, [n, p].
  ///   - weights: w, [n], of sum 1; nil for 1/n each.
  ///   - points: Where predictions are wanted, [k, p].
  init(
    _ linearClass: LinearClass, inputs: Tensor, weights: Tensor? = nil, at points: Tensor
  ) throws(BilevelError) {
    let sample = FunctionalSample(inputs: inputs, labels: [Tensor](), weights: weights)
    let basis = try FeatureBasis(linearClass, on: sample)
    let phi = basis(inputs)
    weightedFeatures = sample.weighted(phi)
    let gram =
      matmul(phi, weightedFeatures, transposeA: true) + linearClass.penalty.matrix(phi.shape[1])
    do {
      let root = try cholesky(gram)
      // Φ(x) G⁻¹, by two triangular solves with its transpose.
      let columns = try triangularSolve(root, basis(points).transposed())
      response = try triangularSolve(root, columns, transposed: true).transposed()
    } catch {
      throw .function(
        OrthogonalError.singularGram(className: linearClass.name, rowCount: inputs.shape[0]))
    }
  }

  /// Predictions, [k, c], for targets, [n, c].
  func callAsFunction(_ targets: Tensor) -> Tensor {
    matmul(response, matmul(weightedFeatures, targets, transposeA: true))
  }
}
