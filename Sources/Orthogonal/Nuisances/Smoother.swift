import Autodiff
import Bilevel
import Solvers

/// Penalised least squares in a linear class as a linear map from targets at training rows to
/// predictions at other rows.
///
///     T ↦ Φ(x) (Φᵀ D Φ + 2 λ I)⁻¹ Φᵀ D T,   D = diag(w), Σᵢ wᵢ = 1
///
/// It is the minimiser of Σᵢ wᵢ ½ ‖Tᵢ − f(xᵢ)‖² + λ ‖f‖² in the class, differentiable in the
/// targets to every order because it is linear in them.
struct Smoother: Sendable {
  /// Φᵀ D Φ + 2 λ I.
  let equations: PenalizedLeastSquares
  /// The features as the smoother uses them.
  let basis: FeatureBasis
  /// Φ and D Φ at the training rows.
  let trainingFeatures: Tensor
  let weightedFeatures: Tensor
  /// Φ at the points.
  let features: Tensor

  /// - Parameters:
  ///   - inputs: Training rows, [n, p].
  ///   - weights: w, [n], of sum 1; nil for 1/n each.
  ///   - points: Where predictions are wanted, [k, p]; nil for the training rows.
  init(
    _ linearClass: LinearClass, inputs: Tensor, weights: Tensor? = nil, at points: Tensor? = nil
  ) throws(SolverError) {
    let sample = FunctionalSample(inputs: inputs, labels: [Tensor](), weights: weights)
    basis = try FeatureBasis(linearClass, on: sample)
    let phi = basis(inputs)
    trainingFeatures = phi
    weightedFeatures = sample.weighted(phi)
    features = points.map { [basis] in basis($0) } ?? phi
    do {
      equations = try PenalizedLeastSquares(
        features: phi, weights: sample.weights, penalty: linearClass.penalty)
    } catch {
      throw .function(
        OrthogonalError.singularGram(className: linearClass.name, rowCount: inputs.shape[0]))
    }
  }

  /// Predictions, [k, c], for targets, [n, c].
  func callAsFunction(_ targets: Tensor) throws(SolverError) -> Tensor {
    matmul(features, try weights(targets))
  }

  /// Targets minus fitted values at the training rows, [n, c].
  func residuals(_ targets: Tensor) throws(SolverError) -> Tensor {
    targets - matmul(trainingFeatures, try weights(targets))
  }

  /// The weights of the features, [m, c].
  func weights(_ targets: Tensor) throws(SolverError) -> Tensor {
    try calling { try equations.solve(matmul(weightedFeatures, targets, transposeA: true)) }
  }
}
