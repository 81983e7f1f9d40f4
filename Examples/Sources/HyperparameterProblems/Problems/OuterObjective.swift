import Autodiff

/// An outer objective g(x, y) with its gradients in closed form.
public protocol OuterObjective: Sendable {
  /// g(x, y), a scalar, written with operations that can be differentiated.
  func value(_ x: Tensor, _ y: Tensor) -> Tensor

  /// ∂g/∂x, [n], in closed form.
  func innerGradient(_ x: Tensor, _ y: Tensor) -> Tensor

  /// ∂g/∂y, [m], in closed form.
  func outerGradient(_ x: Tensor, _ y: Tensor) -> Tensor

  /// The same objective on data rounded to a scalar type.
  func cast(to type: ScalarType) -> Self
}

/// g = c·x + ‖y‖², affine in x.
public struct LinearOuter: OuterObjective {
  /// c [n].
  public let coefficients: Tensor

  /// Creates the objective.
  public init(_ coefficients: Tensor) { self.coefficients = coefficients }

  public func value(_ x: Tensor, _ y: Tensor) -> Tensor {
    dot(coefficients, x) + square(y).sum()
  }

  public func innerGradient(_ x: Tensor, _ y: Tensor) -> Tensor { coefficients }
  public func outerGradient(_ x: Tensor, _ y: Tensor) -> Tensor { 2 * y }

  public func cast(to type: ScalarType) -> LinearOuter { LinearOuter(coefficients.cast(to: type)) }
}

/// g = ‖Q x - q‖² / 2.
public struct QuadraticOuter: OuterObjective {
  /// Q [k, n].
  public let matrix: Tensor

  /// q [k].
  public let target: Tensor

  /// Creates the objective.
  public init(matrix: Tensor, target: Tensor) {
    (self.matrix, self.target) = (matrix, target)
  }

  public func value(_ x: Tensor, _ y: Tensor) -> Tensor {
    0.5 * square(matmul(matrix, x) - target).sum()
  }

  public func innerGradient(_ x: Tensor, _ y: Tensor) -> Tensor {
    matmul(matrix, matmul(matrix, x) - target, transposeA: true)
  }

  public func outerGradient(_ x: Tensor, _ y: Tensor) -> Tensor { Tensor.zeros(like: y) }

  public func cast(to type: ScalarType) -> QuadraticOuter {
    QuadraticOuter(matrix: matrix.cast(to: type), target: target.cast(to: type))
  }
}

/// The mean loss on validation data, without penalties.
///
/// For the squared loss this is the mean squared error Σⱼ (aⱼ·x - bⱼ)² / N, without the half of the
/// inner problem; for the logistic loss Σⱼ log(1 + exp(-bⱼ aⱼ·x)) / N.
public struct ValidationLoss: OuterObjective {
  /// The validation rows.
  public let data: LabeledData

  /// The loss of a row.
  public let loss: RowLoss

  /// Creates the objective.
  public init(_ data: LabeledData, loss: RowLoss) {
    (self.data, self.loss) = (data, loss)
  }

  public func value(_ x: Tensor, _ y: Tensor) -> Tensor {
    factor * loss.values(matmul(data.features, x), data.labels).mean()
  }

  public func innerGradient(_ x: Tensor, _ y: Tensor) -> Tensor {
    factor * PenalizedRegression(data, loss: loss).dataGradient(x)
  }

  public func outerGradient(_ x: Tensor, _ y: Tensor) -> Tensor { Tensor.zeros(like: y) }

  public func cast(to type: ScalarType) -> ValidationLoss {
    ValidationLoss(data.cast(to: type), loss: loss)
  }

  private var factor: Double { loss == .squared ? 2 : 1 }
}

/// g = f, the inner objective: the case in which the plain estimator is of second order already.
public struct InnerAsOuter: OuterObjective {
  /// The inner problem.
  public let problem: PenalizedRegression

  /// Creates the objective.
  public init(_ problem: PenalizedRegression) { self.problem = problem }

  public func value(_ x: Tensor, _ y: Tensor) -> Tensor { problem.objective(x, y) }
  public func innerGradient(_ x: Tensor, _ y: Tensor) -> Tensor { problem.residual(x, y) }
  public func outerGradient(_ x: Tensor, _ y: Tensor) -> Tensor { problem.outerGradient(x, y) }

  public func cast(to type: ScalarType) -> InnerAsOuter { InnerAsOuter(problem.cast(to: type)) }
}

extension OuterObjective {
  /// h(y) = g(x*(y), y), to rounding.
  ///
  /// - Throws: A `ProblemError` if the inner problem cannot be solved.
  public func exactValue(
    _ inner: some InnerRoot, at y: Tensor
  ) throws(ProblemError) -> Double {
    value(try inner.solution(at: y, from: nil), y).scalar
  }

  /// ∇h(y) = ∂g/∂y - (∂F/∂y)ᵀ p with (∂F/∂x)ᵀ p = ∂g/∂x, all at x*(y), in closed form; [m].
  ///
  /// - Parameters:
  ///   - inner: The inner problem F.
  ///   - y: [m].
  ///   - x: x*(y); solved for if nil.
  /// - Throws: A `ProblemError` if the inner problem cannot be solved.
  public func exactHypergradient(
    _ inner: some InnerRoot, at y: Tensor, solution x: Tensor? = nil
  ) throws(ProblemError) -> Tensor {
    let x = if let x { x } else { try inner.solution(at: y, from: nil) }
    return try plainEstimate(inner, x, y)
  }

  /// The same formula at any x, the plain estimator: what differentiated code is checked against.
  ///
  /// - Throws: `ProblemError.singularJacobian`.
  public func plainEstimate(
    _ inner: some InnerRoot, _ x: Tensor, _ y: Tensor
  ) throws(ProblemError) -> Tensor {
    let p = try inner.adjoint(innerGradient(x, y), x, y)
    return outerGradient(x, y) - inner.crossTransposedProduct(p, x, y)
  }
}
