import Autodiff

/// A positive definite kernel k(x, x′) on rows.
public enum Kernel: Sendable, Equatable {
  /// exp(−‖x − x′‖² / (2 s²)).
  case gaussian(lengthScale: Double)
  /// exp(−‖x − x′‖₁ / s).
  case laplace(lengthScale: Double)
  /// (xᵀx′ + c)ᵈ.
  case polynomial(degree: Int, offset: Double)

  /// k(xᵢ, x′ⱼ), [n, m], for rows [n, p] and [m, p].
  public func callAsFunction(_ a: Tensor, _ b: Tensor) -> Tensor {
    guard a.rank == 2, b.rank == 2, a.shape[1] == b.shape[1] else {
      stop("Kernel", "expected rows of equal length, found \(a.shape) and \(b.shape)")
    }
    requireParameters()
    switch self {
    case .gaussian(let scale):
      // xᵀx′ − ½ ‖x‖² − ½ ‖x′‖² by one product of rows with two columns more. It depends on
      // differences alone, and far from the origin they would drown in the rounding of squares.
      let origin = stopGradient(b).mean(alongAxis: 0)
      let (x, y) = ((a - origin) * (1 / scale), (b - origin) * (1 / scale))
      func half(_ x: Tensor) -> Tensor {
        -0.5 * square(x).sum(alongAxis: 1, keepingDimension: true)
      }
      let left = Tensor.concatenated(
        [x, half(x), .ones([x.shape[0], 1], x.scalarType)], alongAxis: 1)
      let right = Tensor.concatenated(
        [y, .ones([y.shape[0], 1], y.scalarType), half(y)], alongAxis: 1)
      return exp(matmul(left, right, transposeB: true))
    case .laplace(let scale):
      let differences = a.expandingShape(at: 1) - b.expandingShape(at: 0)
      return exp(abs(differences).sum(alongAxis: 2) * (-1 / scale))
    case .polynomial(let degree, let offset):
      let base = matmul(a, b, transposeB: true) + offset
      return (1..<degree).reduce(base) { power, _ in power * base }
    }
  }

  private func requireParameters() {
    switch self {
    case .gaussian(let scale), .laplace(let scale):
      guard scale > 0, scale.isFinite else {
        stop("Kernel", "the length scale must be positive, found \(scale)")
      }
    case .polynomial(let degree, let offset):
      guard degree >= 1, offset >= 0, offset.isFinite else {
        stop(
          "Kernel",
          "expected a degree of at least 1 and an offset of at least 0, found \(degree), \(offset)")
      }
    }
  }
}

extension LinearClass {
  /// Kernel ridge regression on given points: h = Σⱼ k(·, xⱼ) αⱼ with the penalty λ ‖h‖² of the
  /// kernel's space.
  ///
  /// A Cholesky factorisation with pivoting, K ≈ L Lᵀ, picks the points P that span the kernel's
  /// functions on all points to rounding; φ(x) = k(x, P) L_P⁻ᵀ turns ‖h‖² = αᵀ K α into ‖W‖². By the
  /// representer theorem the solution over the whole space is of this form where the points are the
  /// inner sample's.
  ///
  /// - Parameters:
  ///   - kernel: k.
  ///   - points: X, [m, p].
  ///   - ridge: λ.
  /// - Throws: `LinearAlgebraError.notPositiveDefinite` where k vanishes on the points.
  /// - Complexity: O(m r²) once for rank r, m² numbers; r features.
  public static func kernel(
    _ kernel: Kernel, points: Tensor, ridge: Double
  ) throws(LinearAlgebraError) -> LinearClass {
    guard !points.isTraced else {
      stop(
        "LinearClass.kernel",
        """
        the points are being differentiated, but the class is built from them as constants. Use \
        stopGradient(points) if that is meant
        """)
    }
    let (type, count) = (points.scalarType, points.shape[0])
    let factor = PivotedCholesky(
      kernel(points, points).cast(to: .float64), tolerance: 10 * Double(count) * type.ulpOfOne)
    guard factor.rank > 0 else { throw .notPositiveDefinite(pivot: 0, matrix: 0) }
    let chosen = points.gathering(Tensor(indices: factor.pivots), alongAxis: 0)
    let inverse = try triangularSolve(factor.factor, Tensor.identity(factor.rank)).cast(to: type)
    return LinearClass(name: "kernel on \(count) points", ridge: ridge) { x in
      matmul(kernel(x, chosen), inverse, transposeB: true)
    }
  }
}
