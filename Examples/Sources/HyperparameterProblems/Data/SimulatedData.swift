import Autodiff

/// Simulated regressions and classifications of any size.
///
/// Features are normal with mean square 1 and one of two covariances: neighbours correlated,
/// Cov(aᵢ, aⱼ) = ρ^|i-j|; or, with a decay α, a spectrum falling as i^(-2α) along random directions,
/// whose condition number is n^(2α).
///
/// - regression: features tanh of these, bounded as scaled data are; b = a·w + 20 + 2 ε, with
///   w ~ N(0, 16) and ε ~ N(0, 1)
/// - classification: b = ±1, P(b = 1) = 1 / (1 + exp(-a·w)), with w ~ N(0, 2.25)
public struct SimulatedData: Sendable, Equatable {
  /// Rows for training.
  public var rows: Int

  /// Rows for validation.
  public var validationRows: Int

  /// n, the number of features.
  public var features: Int

  /// ρ, the correlation of neighbouring features, if there is no decay.
  public var correlation: Double

  /// α, the exponent by which the spectrum decays; nil for the correlation.
  public var decay: Double?

  /// Creates a design.
  ///
  /// - Precondition: Positive sizes; ρ in [0, 1); α at least 0.
  public init(
    rows: Int, validationRows: Int, features: Int, correlation: Double = 0.5,
    decay: Double? = nil
  ) {
    guard rows > 0, validationRows > 0, features > 0, (0..<1).contains(correlation),
      (decay ?? 0) >= 0
    else { fatalError("SimulatedData: sizes must be positive, 0 ≤ ρ < 1 and α ≥ 0") }
    (self.rows, self.validationRows, self.features) = (rows, validationRows, features)
    (self.correlation, self.decay) = (correlation, decay)
  }

  /// Draws data for a loss; the seed gives the same bits on every machine with the same BLAS.
  ///
  /// - Throws: `LinearAlgebraError`, if the covariance cannot be factorised: a correlation that
  ///   rounds to 1.
  public func sample(for loss: RowLoss, seed: UInt64) throws -> DataSplit {
    var generator = PhiloxGenerator(seed: seed, stream: 5)
    let root = try covarianceRoot(using: &generator)
    let deviation = loss == .squared ? 4.0 : 1.5
    let weights = Tensor.normal([features], standardDeviation: deviation, using: &generator)
    return try DataSplit(
      training: draw(rows, loss, root, weights, &generator),
      validation: draw(validationRows, loss, root, weights, &generator))
  }

  /// R [n, n] with R Rᵀ the covariance.
  func covarianceRoot(using generator: inout PhiloxGenerator) throws -> Tensor {
    let n = features
    guard let decay else {
      let positions = Tensor.range(n)
      let distances = abs(positions.expandingShape(at: 1) - positions)
      // 0^0 = 1 on the diagonal.
      let powers = correlation > 0 ? pow(Tensor(correlation), distances) : Tensor.identity(n)
      return try cholesky(powers)
    }
    // Eigenvectors of a random symmetric matrix point in all directions alike.
    let gaussian = Tensor.normal([n, n], using: &generator)
    let directions = try symmetricEigen(symmetrized(gaussian)).vectors
    let spectrum = pow(Tensor.range(n) + 1, -decay)
    return directions * (spectrum / sqrt(square(spectrum).mean()))
  }

  private func draw(
    _ count: Int, _ loss: RowLoss, _ root: Tensor, _ weights: Tensor,
    _ generator: inout PhiloxGenerator
  ) -> LabeledData {
    let normal = Tensor.normal([count, features], using: &generator)
    let gaussian = matmul(normal, root, transposeB: true)
    switch loss {
    case .squared:
      let bounded = tanh(gaussian)
      let noise = Tensor.normal([count], standardDeviation: 2, using: &generator)
      return LabeledData(
        source: "simulated regression", features: bounded,
        labels: matmul(bounded, weights) + 20 + noise)
    case .logistic:
      let chances = sigmoid(matmul(gaussian, weights))
      let isOne = Tensor.uniform([count], using: &generator) .< chances
      return LabeledData(
        source: "simulated classification", features: gaussian,
        labels: 2 * isOne.cast(to: .float64) - 1)
    }
  }
}
