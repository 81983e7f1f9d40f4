import Autodiff

/// Observations that a functional problem averages over: rows x that functions see, and whatever
/// else the pointwise loss needs of each row.
///
///     E_P[ℓ(h(x), x, y)] = Σᵢ wᵢ ℓ(h(xᵢ), xᵢ, yᵢ),   Σᵢ wᵢ = 1
public struct FunctionalSample<Labels: TensorTree> {
  /// x, what functions see, [n, p].
  public let inputs: Tensor
  /// y, with the rows on the first axis of every tensor.
  ///
  /// May depend on the outer variables: what is computed from them once and for all rows, such as
  /// targets, belongs here. Give one value per row the shape of the predictions, [n, 1]: with [n]
  /// a difference from v broadcasts to [n, n].
  public let labels: Labels
  /// w, [n], of sum 1; nil for 1/n each.
  public let weights: Tensor?

  /// Rows of inputs and labels, weighted or all alike.
  ///
  /// - Parameter weights: Non-negative, of any sum; a density ratio, for example.
  /// - Precondition: At least one row, and as many in every tensor.
  public init(inputs: Tensor, labels: Labels, weights: Tensor? = nil) {
    guard inputs.rank == 2, let count = inputs.shape.first, count > 0 else {
      stop("FunctionalSample", "expected inputs [n, p] with n ≥ 1, found \(inputs.shape)")
    }
    for (tensor, path) in zip(labels.tensors, labels.tensorPaths)
    where tensor.shape.first != count {
      stop(
        "FunctionalSample",
        """
        the inputs have \(count) rows, but the labels\(path.isEmpty ? "" : " at \(path)") are \
        \(tensor.shape)
        """)
    }
    self.inputs = inputs
    self.labels = labels
    self.weights = weights.map { Self.normalized($0, count, inputs.scalarType) }
  }

  /// The number of rows.
  public var count: Int { inputs.shape[0] }

  /// The rows at `indices`, an `int32` tensor; weights are scaled to sum 1 again.
  public func rows(_ indices: Tensor) -> FunctionalSample {
    FunctionalSample(
      inputs: inputs.gathering(indices, alongAxis: 0),
      labels: labels.mapTensors { $0.gathering(indices, alongAxis: 0) },
      weights: weights?.gathering(indices, alongAxis: 0))
  }

  /// The same rows with other labels.
  public func with<Other: TensorTree>(labels: Other) -> FunctionalSample<Other> {
    FunctionalSample<Other>(inputs: inputs, labels: labels, weights: weights)
  }

  /// The sample as a constant.
  package var constant: FunctionalSample {
    FunctionalSample(
      inputs: stopGradient(inputs), labels: stopGradient(labels),
      weights: weights.map { stopGradient($0) })
  }

  /// Σᵢ wᵢ vᵢ of one value per row.
  func mean(_ values: Tensor) -> Tensor { weights.map { dot($0, values) } ?? values.mean() }

  /// The rows times their weights: what turns a function of rows into the gradient of a mean.
  package func weighted(_ rows: Tensor) -> Tensor {
    weights.map { rows * $0.expandingShape(at: 1) } ?? rows * (1 / Double(count))
  }

  private static func normalized(_ weights: Tensor, _ count: Int, _ type: ScalarType) -> Tensor {
    let constant = stopGradient(weights)
    guard weights.shape == [count], weights.scalarType == type, constant.min().scalar >= 0,
      constant.sum().scalar > 0, constant.isFinite
    else {
      stop(
        "FunctionalSample",
        """
        expected \(count) non-negative finite weights of type \(type) with a positive sum, found \
        \(weights.shape) \(weights.scalarType)
        """)
    }
    return weights / weights.sum()
  }
}

extension FunctionalSample: Sendable where Labels: Sendable {}
