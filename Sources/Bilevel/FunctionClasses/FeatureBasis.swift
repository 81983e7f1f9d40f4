import Autodiff
import Solvers

/// The features of a linear class as one problem uses them: without a penalty, in coordinates in
/// which they are orthonormal on the inner sample.
///
///     φ̃(x) = φ(x) T,   Σᵢ wᵢ φ̃ᵢ φ̃ᵢᵀ = I
///
/// Directions in which the features do not vary on the sample to rounding are left out, so that
/// dependent features determine the same function as independent ones. Each feature counts in units
/// of its own size on the sample: a small one is no rounding error.
package struct FeatureBasis {
  let linearClass: LinearClass
  /// T, [m, r]; nil where a penalty makes the weights unique.
  private let transformation: Tensor?
  /// The number of coordinates r.
  package let count: Int
  /// The number of features m.
  let featureCount: Int

  package init<Labels>(
    _ linearClass: LinearClass, on sample: FunctionalSample<Labels>
  ) throws(SolverError) {
    self.linearClass = linearClass
    let inputs = stopGradient(sample.inputs)
    guard linearClass.ridge == 0 else {
      // One row tells how many there are.
      count = linearClass.features(inputs.slice(0..<1, alongAxis: 0)).shape[1]
      (transformation, featureCount) = (nil, count)
      return
    }
    let phi = linearClass.features(inputs)
    featureCount = phi.shape[1]
    let type = phi.scalarType
    let raw = stopGradient(phi).cast(to: .float64)
    let size = abs(raw).max(alongAxis: 0)
    let scale = select(size .> 0, 1 / size, Tensor.ones(like: size))
    let wide = raw * scale
    let gram = PenalizedLeastSquares.gram(
      wide, sample.weights.map { stopGradient($0).cast(to: .float64) })
    let fraction = 10 * Double(phi.shape[1]) * type.ulpOfOne
    let (values, vectors) = try calling { try leadingEigen(gram, above: fraction) }
    count = values.elementCount
    guard count > 0 else {
      throw .unsolved(
        SolverStatus(
          refusal: .singular(blocks: [.init(name: linearClass.name, share: 1)]), by: "FuncID"),
        of: .inner)
    }
    let coordinates = vectors * rsqrt(values)
    transformation = (scale.expandingShape(at: 1) * coordinates).cast(to: type)
  }

  /// φ̃(x), [n, r].
  package func callAsFunction(_ x: Tensor) -> Tensor {
    let phi = linearClass.features(x)
    return transformation.map { matmul(phi, $0) } ?? phi
  }
}
