import Autodiff
import Solvers

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
    // By the largest element first, whose square need not be a number of the machine.
    let largest = Self.inverse(abs(raw).max(alongAxis: 0))
    let bounded = raw * largest
    let weights = sample.weights.map { stopGradient($0).cast(to: .float64) }
    let shares = weights?.expandingShape(at: 1) ?? Tensor(1 / Double(sample.count))
    let own = Self.inverse(sqrt((square(bounded) * shares).sum(alongAxis: 0)))
    let scale = largest * own
    let gram = PenalizedLeastSquares.gram(bounded * own, weights)
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
  package func callAsFunction(_ x: Tensor) -> Tensor {
    let phi = linearClass.features(x)
    return transformation.map { matmul(phi, $0) } ?? phi
  }
}
