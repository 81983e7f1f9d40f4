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
      let squares =
        square(a).sum(alongAxis: 1, keepingDimension: true)
        + square(b).sum(alongAxis: 1).expandingShape(at: 0)
        - 2 * matmul(a, b, transposeB: true)
      // Rounding can make a distance of zero negative. Its value is corrected, its derivatives are
      // those of the square: `maximum` has none below 0.
      let distances = squares + stopGradient(maximum(squares, 0) - squares)
      return exp(distances * (-0.5 / (scale * scale)))
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
  /// With K = U Λ Uᵀ on the points, φ(x) = k(x, X) U Λ^(−1/2) turns ‖h‖² = αᵀ K α into ‖W‖².
  /// Eigenvalues below rounding are left out. By the representer theorem the solution over the
  /// whole space is of this form where the points are the inner sample's.
  ///
  /// - Parameters:
  ///   - kernel: k.
  ///   - points: X, [m, p].
  ///   - ridge: λ.
  /// - Throws: Where the eigenvalues of K cannot be found.
  /// - Complexity: O(m³) once, m² numbers.
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
    let (values, vectors) = try symmetricEigen(kernel(points, points).cast(to: .float64))
    let count = points.shape[0]
    let limit = 10 * Double(count) * points.scalarType.ulpOfOne * max(0, values.max().scalar)
    let first = values.scalars.firstIndex { $0 > limit } ?? count
    guard first < count else { throw .notPositiveDefinite(pivot: 0, matrix: 0) }
    let whitening = (vectors[0..., first...] * rsqrt(values[first...])).cast(to: points.scalarType)
    return LinearClass(name: "kernel on \(count) points", ridge: ridge) { x in
      matmul(kernel(x, points), whitening)
    }
  }
}
