import Autodiff
import Solvers

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
