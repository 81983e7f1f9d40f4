import Autodiff

/// Residuals r and their Jacobian J at a point, and the damped linear least-squares steps from it.
struct LinearizedResiduals {
  /// A step δ, and how much ½‖r‖² decreases by it if the residuals are linear.
  typealias Step = (step: Tensor, predictedDecrease: Double)

  let residuals: Tensor
  /// Jᵀ r.
  let gradient: Tensor
  var isDense: Bool { scaled != nil }

  private let product: LinearOperator.Product
  private let transposedProduct: LinearOperator.Product
  /// J D⁻¹ with its Gram matrix, and D.
  private let scaled: (jacobian: Tensor, gram: Tensor, scales: Tensor)?

  /// Traces the residuals.
  ///
  /// - Parameters:
  ///   - isDense: Whether to form J.
  ///   - last: The last point; the scales D never fall.
  init(
    _ function: InnerProblem.VectorFunction, at x: Tensor, isDense: Bool,
    after last: LinearizedResiduals?
  ) throws(SolverError) {
    let (value, differential, pullback) = try linearizeInBothDirections(at: x, of: function)
    // Residuals may have any shape; only their squares matter.
    let shape = value.shape
    residuals = value.flattened()
    gradient = try pullback(value)
    product = { v throws(SolverError) in try differential(v).flattened() }
    transposedProduct = { u throws(SolverError) in try pullback(u.reshaped(to: shape)) }
    guard isDense, x.elementCount > 0 else {
      scaled = nil
      return
    }
    var columns: [Tensor] = []
    for index in 0..<x.elementCount {
      columns.append(try product(.basisVector(index, x.elementCount, x.scalarType)))
    }
    let jacobian = Tensor.stacked(columns, alongAxis: 1)
    var scales = jacobian.norm(alongAxis: 0)
    if let last = last?.scaled { scales = maximum(scales, last.scales) }
    let divisors = select(scales .== 0, Tensor.ones(like: scales), scales)
    let scaledJacobian = jacobian / divisors
    scaled = (scaledJacobian, matmul(scaledJacobian.transposed(), scaledJacobian), scales)
  }

  /// The scale of JᵀJ: 1 relative to D², otherwise a Rayleigh quotient.
  func squaredSize() throws(SolverError) -> Double {
    if isDense { return 1 }
    let (image, length) = (norm(try product(gradient)), norm(gradient))
    let ratio = image / length
    return ratio > 0 ? ratio * ratio : 1
  }

  /// δ with (JᵀJ + μ D²) δ = −Jᵀ r; nil where that is singular to working precision.
  ///
  /// - Parameter tolerance: The relative residual of an iterative solve.
  func step(damping: Double, tolerance: Double) throws(SolverError) -> Step? {
    guard let (jacobian, gram, scales) = scaled else {
      return try iterativeStep(damping, tolerance)
    }
    let divisors = select(scales .== 0, Tensor.ones(like: scales), scales)
    let matrix = gram + damping * Tensor.identity(gram.shape[0], gram.scalarType)
    guard let step = try? solvePositiveDefinite(matrix, -gradient / divisors) else { return nil }
    return decrease(of: step / divisors, image: matmul(jacobian, step))
  }

  /// Conjugate gradients on ‖J δ + r‖² + μ‖δ‖², from zero.
  private func iterativeStep(_ damping: Double, _ tolerance: Double) throws(SolverError) -> Step? {
    var image = Tensor.zeros(like: residuals)
    var steps = ConjugateGradientSteps(-residuals, along: -gradient)
    let goal = tolerance * tolerance * steps.square
    for _ in 0..<(2 * gradient.elementCount) where steps.square > goal {
      let (p, q) = (steps.direction, try product(steps.direction))
      let curvature = inner(q, q) + damping * inner(p, p)
      guard curvature > 0, curvature.isFinite else { return nil }
      image += steps.move(curvature: curvature, image: q) * q
      let slope = try transposedProduct(steps.residual) - damping * steps.x
      steps.turn(to: slope, square: inner(slope, slope))
    }
    return decrease(of: steps.x, image: image)
  }

  private func decrease(of step: Tensor, image: Tensor) -> Step {
    (step, -inner(gradient, step) - 0.5 * inner(image, image))
  }
}
