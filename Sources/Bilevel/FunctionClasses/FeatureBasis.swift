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
    let weights = sample.weights.map { stopGradient($0).cast(to: .float64) }
    let weighted =
      weights.map { wide * $0.expandingShape(at: 1) } ?? wide * (1 / Double(sample.count))
    let (values, vectors): (Tensor, Tensor)
    do {
      (values, vectors) = try symmetricEigen(matmul(wide, weighted, transposeA: true))
    } catch {
      throw .function(error)
    }
    let spectrum = values.scalars
    let limit = 10 * Double(spectrum.count) * type.ulpOfOne * max(0, spectrum.last ?? 0)
    guard let first = spectrum.firstIndex(where: { $0 > limit }) else {
      throw .unsolved(
        SolverStatus(
          method: "FuncID", outcome: .singular(blocks: [.init(name: linearClass.name, share: 1)]),
          history: [], threshold: 0, scale: 0, evaluations: 0), of: .inner)
    }
    let coordinates = vectors[0..., first...] * rsqrt(values[first...])
    transformation = (scale.expandingShape(at: 1) * coordinates).cast(to: type)
    count = spectrum.count - first
  }

  /// φ̃(x), [n, r].
  package func callAsFunction(_ x: Tensor) -> Tensor {
    let phi = linearClass.features(x)
    return transformation.map { matmul(phi, $0) } ?? phi
  }
}
