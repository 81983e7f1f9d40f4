import Autodiff

/// The second derivatives Cᵢ = ∂²ᵥℓᵢ of a pointwise loss in its outputs, in the simplest form that
/// holds for every row.
///
/// The form decides what an exact adjoint costs: with m features and d outputs one m × m system
/// (isotropic), d of them (diagonal), or one of size m d (full).
package enum OutputCurvature {
  /// c I, the same in every row.
  case isotropic(Double)
  /// cᵢ I, [n].
  case scaled(Tensor)
  /// diag(cᵢ), [n, d].
  case diagonal(Tensor)
  /// Any symmetric matrix, [n, d, d].
  case full(Tensor)

  /// A word for it.
  var name: String {
    switch self {
    case .isotropic: "a multiple of the identity"
    case .scaled: "a multiple of the identity in each row"
    case .diagonal: "diagonal"
    case .full: "full"
    }
  }

  /// Whether another curvature is the same to rounding.
  func isEqual(to other: OutputCurvature) -> Bool {
    func areClose(_ a: Tensor, _ b: Tensor) -> Bool {
      let rounding = a.scalarType == .float32 ? 1e-4 : 1e-11
      return a.shape == b.shape
        && abs(a - b).max().scalar <= rounding * abs(b).max().scalar
    }
    return switch (self, other) {
    case (.isotropic(let a), .isotropic(let b)): abs(a - b) <= 1e-6 * abs(b)
    case (.scaled(let a), .scaled(let b)): areClose(a, b)
    case (.diagonal(let a), .diagonal(let b)): areClose(a, b)
    case (.full(let a), .full(let b)): areClose(a, b)
    default: false
    }
  }

  /// Cᵢ aᵢ for rows a, [n, d].
  func product(_ a: Tensor) -> Tensor {
    switch self {
    case .isotropic(let c): c * a
    case .scaled(let c): c.expandingShape(at: 1) * a
    case .diagonal(let c): c * a
    case .full(let c): matmul(c, a.expandingShape(at: 2)).squeezingShape(at: 2)
    }
  }

  /// Cᵢ⁻¹ bᵢ for rows b, [n, d].
  ///
  /// - Throws: Where a Cᵢ is not positive definite: the pointwise loss has no unique minimum there.
  func inverseProduct(_ b: Tensor) throws(FunctionalError) -> Tensor {
    func require(_ c: Tensor) throws(FunctionalError) {
      let least = c.min().scalar
      if !(least > 0) { throw .notStronglyConvex(curvature: least) }
    }
    switch self {
    case .isotropic(let c):
      guard c > 0 else { throw .notStronglyConvex(curvature: c) }
      return b / c
    case .scaled(let c):
      try require(c)
      return b / c.expandingShape(at: 1)
    case .diagonal(let c):
      try require(c)
      return b / c
    case .full(let c):
      do {
        return try solvePositiveDefinite(c, b.expandingShape(at: 2)).squeezingShape(at: 2)
      } catch {
        throw .notStronglyConvex(curvature: nil)
      }
    }
  }
}
