import Autodiff

/// A function at the point where it is checked, with all that the checks ask of it, in vectors.
struct CheckedFunction<Input: TensorTree, Output: TensorTree, E: Error> {
  let function: (Input) throws(E) -> Output
  let input: TreeCoordinates<Input>
  let output: TreeCoordinates<Output>
  /// x.
  let position: [Double]
  /// f(x).
  let value: [Double]
  /// The size of a typical change of each element of x.
  let steps: [Double]
  /// u, which makes the scalar ⟨u, f⟩ of any function: random weights, or 1 if f is a scalar.
  let cotangent: [Double]
  /// Along which noise is measured.
  let noiseDirection: [Double]
  /// The error of each element of f(x).
  private(set) var noise: [Double] = []
  /// The error of ⟨u, f(x)⟩.
  private(set) var scalarNoise = 0.0

  init(
    _ function: @escaping (Input) throws(E) -> Output, at input: TreeCoordinates<Input>,
    output: TreeCoordinates<Output>, using generator: inout SplitMix64
  ) {
    self.function = function
    self.input = input
    self.output = output
    position = input.vector
    value = output.vector
    steps = input.typicalSizes
    // The report then shows the gradient that a user of a scalar function knows.
    cotangent = output.count == 1 ? [1] : generator.signedWeights(output.count)
    noiseDirection = zip(steps, generator.unitVector(input.count)).map(*)
    guard isDifferentiable else { return }
    noise = noise(of: values(along: noiseDirection), count: output.count)
    scalarNoise = noise(of: scalar(along: noiseDirection), count: 1)[0]
  }

  /// Whether there is anything to differentiate.
  var isDifferentiable: Bool { input.count > 0 && output.count > 0 }

  /// Σ |uᵢ fᵢ|.
  var scalarMagnitude: Double { magnitudeOfDot(cotangent, value) }

  /// What differences of ⟨u, f⟩ cannot resolve, for each element of the gradient.
  var gradientFloors: [Double] {
    let magnitude = scalarMagnitude
    return steps.map { magnitude * GradientTolerance.resolution / $0 }
  }

  /// The error of the values of a curve at 0, none where it cannot be measured.
  func noise(of curve: (Double) -> [Double]?, count: Int) -> [Double] {
    let isSingle = input.leaves.contains { $0.scalarType == .float32 }
    let ulp = isSingle ? Double(Float.ulpOfOne) : Double.ulpOfOne
    return functionNoise(of: curve, spacing: ulp.squareRoot())
      ?? Array(repeating: 0, count: count)
  }

  // MARK: - Derivatives by the library

  /// Jᵀu at a point.
  func gradient(at x: Input) throws(E) -> Input {
    try vjp(at: x, of: function).pullback(output.direction(cotangent))
  }

  /// J v at a point.
  func tangent(along v: Input, at x: Input) throws(E) -> Output {
    try jvp(at: x, along: v, of: function).tangent
  }

  /// Jᵀu at x.
  func gradient() throws(E) -> [Double] {
    input.elements(of: try gradient(at: input.tree)) ?? []
  }

  /// J v at x.
  func tangent(along v: [Double]) throws(E) -> [Double] {
    output.elements(of: try tangent(along: input.direction(v), at: input.tree)) ?? []
  }

  // MARK: - Curves for finite differences, undefined where the function throws

  /// t ↦ f(x + t d).
  func values(along d: [Double]) -> (Double) -> [Double]? {
    curve(along: d, output) { x throws(E) in try function(x) }
  }

  /// t ↦ ⟨u, f(x + t d)⟩.
  func scalar(along d: [Double]) -> (Double) -> [Double]? {
    let values = values(along: d)
    return { t in values(t).map { [dot(cotangent, $0)] } }
  }

  /// t ↦ J(x + t d)ᵀu.
  func gradients(along d: [Double]) -> (Double) -> [Double]? {
    curve(along: d, input) { x throws(E) in try gradient(at: x) }
  }

  /// t ↦ J(x + t d) v.
  func tangents(of v: [Double], along d: [Double]) -> (Double) -> [Double]? {
    let v = input.direction(v)
    return curve(along: d, output) { x throws(E) in try tangent(along: v, at: x) }
  }

  private func curve<Result>(
    along d: [Double], _ coordinates: TreeCoordinates<Result>,
    _ body: @escaping (Input) throws(E) -> Result
  ) -> (Double) -> [Double]? {
    return { t in
      let x = input.point(zip(position, d).map { $0 + t * $1 })
      guard let result = try? body(x), let elements = coordinates.elements(of: result),
        elements.allSatisfy(\.isFinite)
      else { return nil }
      return elements
    }
  }
}

extension CheckedFunction {
  /// The i-th basis vector times the typical size of that element.
  func basisStep(_ index: Int) -> [Double] {
    var step = [Double](repeating: 0, count: position.count)
    step[index] = steps[index]
    return step
  }

  /// A vector with the elements outside a range set to zero.
  func restricted(_ d: [Double], to range: Range<Int>) -> [Double] {
    d.indices.map { range.contains($0) ? d[$0] : 0 }
  }
}
