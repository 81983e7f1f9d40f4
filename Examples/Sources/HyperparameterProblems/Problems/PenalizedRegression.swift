import Autodiff

/// The mean loss of a linear model plus one penalty per coefficient.
///
/// f(x, y) = Σⱼ ℓ(aⱼ·x, bⱼ) / N + Σᵢ exp(yᵢ) xᵢ² / (2 n),
///
/// with rows aⱼ of the features [N, n], labels b [N], coefficients x [n] and logarithms of penalties
/// y [n]. The residual F is the gradient of f in x.
public struct PenalizedRegression: InnerRoot {
  /// The rows and the labels.
  public let data: LabeledData

  /// The loss of a row.
  public let loss: RowLoss

  /// Creates the problem.
  ///
  /// - Precondition: For `.logistic`, the labels are -1 and 1.
  public init(_ data: LabeledData, loss: RowLoss) {
    self.data = data
    self.loss = loss
  }

  public var innerSize: Int { data.featureCount }
  public var outerSize: Int { data.featureCount }

  /// f(x, y), a scalar, in the scalar type of the data.
  public func objective(_ x: Tensor, _ y: Tensor) -> Tensor {
    loss.values(matmul(data.features, x), data.labels).mean()
      + (exp(y) * square(x)).sum() / Double(2 * innerSize)
  }

  public func residual(_ x: Tensor, _ y: Tensor) -> Tensor {
    dataGradient(x) + penalties(y) * x
  }

  public func jacobian(_ x: Tensor, _ y: Tensor) -> Tensor {
    dataHessian(x) + penalties(y).embeddedDiagonal()
  }

  public func crossTransposedProduct(_ p: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor {
    penalties(y) * x * p
  }

  public func scale(_ x: Tensor, _ y: Tensor) -> Double {
    let slopes = loss.slopes(matmul(data.features, x), data.labels)
    // Entry by entry what the sum over rows adds up, before anything cancels.
    let summed = matmul(abs(data.features), abs(slopes), transposeA: true) / Double(data.rowCount)
    return (summed + abs(penalties(y) * x)).norm().scalar
  }

  /// ∂f/∂y at fixed x, [n].
  func outerGradient(_ x: Tensor, _ y: Tensor) -> Tensor { 0.5 * penalties(y) * square(x) }

  /// exp(y) / n, the curvature that the penalties add.
  func penalties(_ y: Tensor) -> Tensor { exp(y) / Double(innerSize) }

  /// The gradient of the mean loss without penalties.
  func dataGradient(_ x: Tensor) -> Tensor {
    let slopes = loss.slopes(matmul(data.features, x), data.labels)
    return matmul(data.features, slopes, transposeA: true) / Double(data.rowCount)
  }

  /// The Hessian of the mean loss without penalties.
  func dataHessian(_ x: Tensor) -> Tensor {
    let weights = loss.curvatures(matmul(data.features, x), data.labels)
    let weighted = data.features * weights.expandingShape(at: 1)
    return matmul(data.features, weighted, transposeA: true) / Double(data.rowCount)
  }

  /// The same problem on data rounded to a scalar type.
  public func cast(to type: ScalarType) -> PenalizedRegression {
    PenalizedRegression(data.cast(to: type), loss: loss)
  }
}

/// The loss of one row: of a prediction u and a label b.
public enum RowLoss: String, Sendable, Codable, CaseIterable {
  /// (u - b)² / 2.
  case squared

  /// log(1 + exp(-b u)) for labels -1 and 1, by softplus, which never overflows.
  case logistic

  /// ℓ(u, b), elementwise.
  public func values(_ u: Tensor, _ b: Tensor) -> Tensor {
    switch self {
    case .squared: 0.5 * square(u - b)
    case .logistic: softplus(-(b * u))
    }
  }

  /// ∂ℓ/∂u, elementwise.
  func slopes(_ u: Tensor, _ b: Tensor) -> Tensor {
    switch self {
    case .squared: u - b
    case .logistic: -(b * sigmoid(-(b * u)))
    }
  }

  /// ∂²ℓ/∂u², elementwise.
  func curvatures(_ u: Tensor, _ b: Tensor) -> Tensor {
    switch self {
    case .squared: Tensor.ones(like: u)
    case .logistic: sigmoid(u) * sigmoid(-u)
    }
  }
}
