import Autodiff

/// What kernel ridge regression with a fixed λ converges to on normal inputs, and with it the
/// regularised plug-in gradient, however much data there is.
///
/// The Gaussian kernel k(x, x′) = exp(−‖x − x′‖² / (2 s²)) has eigenfunctions of Hermite type under
/// X ~ N(0, v): with a = 1/(4v), b = 1/(2s²), c = √(a² + 2ab) and B = a + b + c
///
///     μ_k = √(2a/B) (b/B)ᵏ,   e_k(x) = (c/a)^¼ exp(−(c − a) x²) H_k(√(2c) x) / √(2ᵏ k!)
///
/// and products of them on independent axes, to which any normal input is rotated. Regression
/// multiplies the k-th coefficient of a function by μ_k / (μ_k + λ).
///
/// Zhu, Williams, Rohwer and Morciniec, Gaussian regression and optimal finite dimensional linear
/// models (1997).
public struct KernelLimit: Sendable {
  private let design: any NormalInputDesign
  /// μ, [M].
  private let eigenvalues: Tensor
  /// Coefficients of r, m, j and k, [M, 2 + 2d].
  private let coefficients: Tensor
  /// The squared coefficients of j over E‖j‖²: 1 where the basis resolves j.
  public let resolvedShare: Double

  /// The limit for a design.
  ///
  /// - Parameters:
  ///   - lengthScale: s.
  ///   - modeCount: Eigenfunctions of every axis.
  ///   - nodeCount: Quadrature nodes of every axis.
  public init(
    of design: any NormalInputDesign, lengthScale: Double, modeCount: Int, nodeCount: Int
  ) throws(LinearAlgebraError) {
    let rule = GaussHermite(nodeCount)
    let (variances, rotation) = try symmetricEigen(design.inputCovariance)
    let dimension = variances.elementCount
    let (grid, weights) = rule.grid(dimension: dimension)
    let points = matmul(grid * sqrt(variances), rotation, transposeB: true)
    let truth = design.nuisances(at: points)
    var coefficients = Tensor.concatenated(
      [columns(truth.intercept, truth.outcome), truth.slope, design.outerSlope(at: points)],
      alongAxis: 1)
    var eigenvalues = Tensor.ones([1])
    for variance in variances.scalars {
      let axis = KernelAxis(lengthScale: lengthScale, variance: variance, modeCount: modeCount)
      eigenvalues = (eigenvalues.expandingShape(at: 1) * axis.eigenvalues).flattened()
      // The first axis of [nodes, rest · columns] is summed and its modes go behind the other axes.
      let projection = axis.eigenfunctions(at: variance.squareRoot() * rule.nodes) * rule.weights
      let columnCount = coefficients.shape[1]
      coefficients = matmul(projection, coefficients.reshaped(to: [nodeCount, -1]))
        .reshaped(to: [modeCount, -1, columnCount]).permuted(to: [1, 0, 2])
        .reshaped(to: [-1, columnCount])
    }
    (self.design, self.eigenvalues, self.coefficients) = (design, eigenvalues, coefficients)
    let slopes = coefficients.slice(2..<2 + design.dimension, alongAxis: 1)
    let total = product(square(truth.slope).transposed(), weights).sum().scalar
    resolvedShare = square(slopes).sum().scalar / total
  }

  /// The plug-in gradient E[(j_λ − k)(r_λ + j_λᵀω − m − kᵀω)] in the limit, [d].
  public func gradient(at outer: Tensor, ridge: Double) -> Tensor {
    let parts = parts(ridge)
    return product(
      parts.gap.transposed(), parts.intercept - parts.outcome + product(parts.gap, outer))
  }

  /// The ω at which that gradient is zero, [d].
  public func root(ridge: Double) throws(LinearAlgebraError) -> Tensor {
    let parts = parts(ridge)
    return try solve(
      matmul(parts.gap, parts.gap, transposeA: true),
      product(parts.gap.transposed(), parts.outcome - parts.intercept))
  }

  /// The bias −E[δj δu] of the orthogonal gradient where its nuisances are smoothed by λ, [d].
  public func orthogonalBias(at outer: Tensor, ridge: Double) -> Tensor {
    let d = design.dimension
    let slope = coefficients.slice(2..<2 + d, alongAxis: 1)
    var residual = coefficients[0..., 0] + product(slope, outer)
    // A known outcome is not smoothed, and zero here.
    residual = residual - coefficients[0..., 1]
    let lost = square(ridge / (eigenvalues + ridge))
    return -product(slope.transposed(), lost * residual)
  }

  private func parts(_ ridge: Double) -> (gap: Tensor, intercept: Tensor, outcome: Tensor) {
    let d = design.dimension
    let kept = eigenvalues / (eigenvalues + ridge)
    let slope = coefficients.slice(2..<2 + d, alongAxis: 1)
    let outerSlope = coefficients.slice(2 + d..<2 + 2 * d, alongAxis: 1)
    return (
      kept.expandingShape(at: 1) * slope - outerSlope, kept * coefficients[0..., 0],
      coefficients[0..., 1]
    )
  }
}

/// The eigensystem of the Gaussian kernel on one normal axis.
private struct KernelAxis {
  let eigenvalues: Tensor
  private let (modeCount, decay, scale, height): (Int, Double, Double, Double)

  init(lengthScale: Double, variance: Double, modeCount: Int) {
    let (a, b) = (1 / (4 * variance), 1 / (2 * lengthScale * lengthScale))
    let c = (a * a + 2 * a * b).squareRoot()
    let total = a + b + c
    eigenvalues = (2 * a / total).squareRoot() * pow(Tensor(b / total), Tensor.range(modeCount))
    self.modeCount = modeCount
    decay = c - a
    scale = (2 * c).squareRoot()
    height = (c / a).squareRoot().squareRoot()
  }

  /// e_k at points, [modes, n].
  func eigenfunctions(at points: Tensor) -> Tensor {
    let z = scale * points
    var modes = [Tensor.ones(like: z), 2.0.squareRoot() * z]
    for k in 1..<max(1, modeCount - 1) {
      let next = Double(k + 1)
      modes.append(
        (2 / next).squareRoot() * z * modes[k] - (1 - 1 / next).squareRoot() * modes[k - 1])
    }
    return height * exp(-decay * square(points)) * Tensor.stacked(modes)
  }
}
