import Autodiff

/// An inner problem F(x, y) = 0 with its derivatives in closed form.
///
/// x [n] is the inner variable, y [m] the outer one. The closed forms do not use automatic
/// differentiation: they are the independent answer that differentiated programs are compared with.
public protocol InnerRoot: Sendable {
  /// n, the number of inner variables.
  var innerSize: Int { get }

  /// m, the number of outer variables.
  var outerSize: Int { get }

  /// F(x, y), [n].
  func residual(_ x: Tensor, _ y: Tensor) -> Tensor

  /// ∂F/∂x, [n, n].
  func jacobian(_ x: Tensor, _ y: Tensor) -> Tensor

  /// (∂F/∂y)ᵀ p, [m], for p [n].
  func crossTransposedProduct(_ p: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor

  /// The size of the terms of F(x, y) that cancel at the solution, to compare the residual with.
  func scale(_ x: Tensor, _ y: Tensor) -> Double
}

extension InnerRoot {
  /// x*(y), the root, to ‖F‖ ≤ 10⁻¹³ times the terms that cancel in it: Newton's method with the
  /// closed-form Jacobian, each step halved until the residual falls.
  ///
  /// On a linear F, as of ridge regression, that is one direct solve and its refinement.
  ///
  /// - Parameters:
  ///   - y: [m].
  ///   - start: [n]; zero if nil.
  /// - Throws: `ProblemError.notSolved`, or `ProblemError.singularJacobian`.
  public func solution(at y: Tensor, from start: Tensor? = nil) throws(ProblemError) -> Tensor {
    var x = start ?? Tensor.zeros([innerSize], y.scalarType)
    var residual = residual(x, y)
    var size = residual.norm().scalar
    for _ in 0..<200 {
      let step = try solved(jacobian(x, y), residual)
      var length = 1.0
      var next = x - step
      var nextResidual = self.residual(next, y)
      // Written so that a residual that is not finite halves the step too.
      while !(nextResidual.norm().scalar < size), length > 1e-12 {
        length /= 2
        next = x - length * step
        nextResidual = self.residual(next, y)
      }
      let nextSize = nextResidual.norm().scalar
      // The residual falls until it is rounding: that, not a tolerance, ends the iteration.
      guard nextSize < size else { break }
      (x, residual, size) = (next, nextResidual, nextSize)
    }
    let scale = scale(x, y)
    guard size <= 1e-13 * scale else { throw .notSolved(residual: size, scale: scale) }
    return x
  }

  /// p with (∂F/∂x)ᵀ p = g, [n], the adjoint of an outer gradient.
  ///
  /// - Throws: `ProblemError.singularJacobian`.
  public func adjoint(_ g: Tensor, _ x: Tensor, _ y: Tensor) throws(ProblemError) -> Tensor {
    try solved(jacobian(x, y).transposed(), g)
  }

  private func solved(_ a: Tensor, _ b: Tensor) throws(ProblemError) -> Tensor {
    do {
      return try solve(a, b)
    } catch {
      throw .singularJacobian(reason: "\(error)")
    }
  }
}

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
    (self.data, self.loss) = (data, loss)
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
