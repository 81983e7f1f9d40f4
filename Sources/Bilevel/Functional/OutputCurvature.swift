import Autodiff
import Solvers

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

extension PointwiseLoss {
  /// The curvature at v, found by products with random rows: two for a diagonal form, d + 2 for a
  /// full one.
  ///
  /// A random vector is an eigenvector of multiples of the identity only, and the second product
  /// checks what the first suggests. A loss whose rows influence each other is refused: its
  /// products disagree.
  package func curvature(
    _ outer: Outer, _ v: Tensor, _ sample: FunctionalSample<Labels>
  ) throws(SolverError) -> OutputCurvature {
    let type = v.scalarType
    let rounding = type == .float32 ? 1e-5 : 1e-12
    var generator = PhiloxGenerator(seed: 0x4375_7276)
    func probe() -> Tensor {
      let u = Tensor.uniform(v.shape, from: -1, to: 1, type, using: &generator)
      // Away from zero, so that quotients are accurate.
      return select(u .>= 0, u + 0.5, u - 0.5)
    }
    let (first, second) = (probe(), probe())
    let firstProduct = try curvatureProduct(outer, v, sample, along: first)
    let factors = Tensor.uniform([v.shape[0]], from: 0.5, to: 1.5, type, using: &generator)
    let secondProduct = try curvatureProduct(
      outer, v, sample, along: second, factors: factors)
    let scale = max(abs(firstProduct).max().scalar, abs(secondProduct).max().scalar)
    guard scale.isFinite else { throw .function(FunctionalError.curvatureNotFinite) }
    let quotient = firstProduct / first
    let tolerance = 100 * rounding * scale
    // Each row by its own size: a row of small curvature has its form too.
    let rowScale = maximum(
      abs(firstProduct).max(alongAxis: 1), abs(secondProduct).max(alongAxis: 1))
    let error = abs(quotient * second - secondProduct).max(alongAxis: 1)
    if (error - 100 * rounding * rowScale).max().scalar <= 0 {
      let (low, high) = (quotient.min().scalar, quotient.max().scalar)
      if high - low <= 10 * rounding * max(abs(low), abs(high)) {
        return .isotropic(quotient.mean().scalar)
      }
      let rowMean = quotient.mean(alongAxis: 1)
      let spread = abs(quotient - rowMean.expandingShape(at: 1)).max(alongAxis: 1)
      let isScaled = (spread - 10 * rounding * rowScale).max().scalar <= 0
      return isScaled ? .scaled(rowMean) : .diagonal(quotient)
    }
    let width = v.shape[1]
    var columns: [Tensor] = []
    for index in 0..<width {
      let basis = Tensor.basisVector(index, width, type).broadcast(to: v.shape)
      columns.append(try curvatureProduct(outer, v, sample, along: basis))
    }
    let matrices = Tensor.stacked(columns, alongAxis: 2)
    let full = OutputCurvature.full(0.5 * (matrices + matrices.permuted(to: [0, 2, 1])))
    guard
      abs(full.product(first) - firstProduct).max().scalar <= tolerance,
      abs(full.product(second) - secondProduct).max().scalar <= tolerance
    else { throw .function(FunctionalError.rowsInteract) }
    return full
  }
}
