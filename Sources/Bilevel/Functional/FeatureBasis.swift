import Autodiff

/// The features of a linear class as one problem uses them: without a penalty, in coordinates in
/// which they are orthonormal on the inner sample.
///
///     φ̃(x) = φ(x) T,   Σᵢ wᵢ φ̃ᵢ φ̃ᵢᵀ = I
///
/// Directions in which the features do not vary on the sample to rounding are left out, so that
/// dependent features determine the same function as independent ones: those whose size is below
/// √(10 m ε) of the largest. Each feature counts in units of its own weighted size on the sample, so
/// that one that is small, or differs from 0 in few rows or rows of small weight, is no rounding
/// error. What is left out is `omission`.
struct FeatureBasis {
  let linearClass: LinearClass
  /// T, [m, r]; nil where a penalty makes the weights unique.
  private let transformation: Tensor?
  /// The number of coordinates r.
  let count: Int
  /// The number of features m.
  let featureCount: Int

  init<Labels>(
    _ linearClass: LinearClass, on sample: FunctionalSample<Labels>
  ) throws(BilevelError) {
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
    let weights =
      sample.weights.map { stopGradient($0).cast(to: .float64).expandingShape(at: 1) }
      ?? Tensor(1 / Double(sample.count))
    // By the largest element first, whose square need not be a number of the machine.
    let largest = Self.inverse(abs(raw).max(alongAxis: 0))
    let bounded = raw * largest
    let own = Self.inverse(sqrt((square(bounded) * weights).sum(alongAxis: 0)))
    let scale = largest * own
    let wide = bounded * own
    let weighted = wide * weights
    let (values, vectors): (Tensor, Tensor)
    do {
      (values, vectors) = try symmetricEigen(matmul(wide, weighted, transposeA: true))
    } catch {
      throw .function(error)
    }
    let spectrum = values.scalars
    let limit = 10 * Double(spectrum.count) * type.ulpOfOne * max(0, spectrum.last ?? 0)
    guard let first = spectrum.firstIndex(where: { $0 > limit }) else {
      throw .inner(
        SolverStatus(
          method: "FuncID", outcome: .singular(blocks: [.init(name: linearClass.name, share: 1)]),
          history: [], threshold: 0, scale: 0, evaluations: 0))
    }
    let coordinates = vectors[0..., first...] * rsqrt(values[first...])
    transformation = (scale.expandingShape(at: 1) * coordinates).cast(to: type)
    count = spectrum.count - first
  }

  /// 1 / size, and 1 where that is 0.
  private static func inverse(_ size: Tensor) -> Tensor {
    select(size .> 0, 1 / size, Tensor.ones(like: size))
  }

  /// What is left out, for records; nil for nothing.
  var omission: String? {
    guard count < featureCount else { return nil }
    return """
      on the inner sample the \(featureCount) features of the class "\(linearClass.name)" have \
      \(count) independent directions, by sizes above rounding; elsewhere the others count as zero
      """
  }

  /// φ̃(x), [n, r].
  func callAsFunction(_ x: Tensor) -> Tensor {
    let phi = linearClass.features(x)
    return transformation.map { matmul(phi, $0) } ?? phi
  }
}
