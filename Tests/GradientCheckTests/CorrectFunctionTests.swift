import Autodiff
import GradientCheck
import Testing

/// Correct derivatives must pass: no false alarm, and nothing left undecided.
@Suite("Correct functions pass") struct CorrectFunctionTests {
  struct Affine: TensorTree {
    var weight: Tensor
    var bias: Tensor?
    mutating func visitTensors(_ visitor: inout TensorVisitor) {
      visitor.visit(&weight, "weight")
      visitor.visit(&bias, "bias")
    }
  }

  let x = Tensor([0.3, -1.2, 0.7, 2.1, -0.4, 0.9], shape: [2, 3])

  @Test("A scalar function passes") func scalarOutput() throws {
    let report = try requireGradients(at: x) { x in (sin(x) * exp(x)).sum() }
    #expect(report.outcome == .passed)
    #expect(report.worstRatio <= 1)
    #expect(report.inputCount == 6)
    #expect(report.outputCount == 1)
    let checks = GradientReport.Check.allCases.filter { $0 != .singlePrecision }
    #expect(report.tallies.map(\.check) == checks)
    #expect(report.tallies.allSatisfy { $0.comparisonCount > 0 })
  }

  @Test("Trees in and out") func treesInAndOut() throws {
    let layers = [
      Affine(
        weight: Tensor([0.5, -0.3, 0.8, 0.1, 0.9, -0.7], shape: [3, 2]), bias: Tensor([0.1, 2])),
      Affine(weight: Tensor([0.2, -0.4], shape: [2, 1]), bias: nil),
    ]
    try requireGradients(at: x, layers) { x, layers in
      var h = x
      for layer in layers {
        h = matmul(h, layer.weight)
        if let bias = layer.bias { h = h + bias }
        h = tanh(h)
      }
      return ["h": h, "norm": square(h).sum()]
    }
  }

  @Test("Indices are held fixed") func indicesAreHeldFixed() throws {
    try requireGradients(at: x, Tensor(indices: [1, 0, 1])) { x, rows in
      square(x.gathering(rows, alongAxis: 0))
    }
  }

  @Test("Swift code may read indices") func swiftCodeMayReadIndices() throws {
    try requireGradients(at: x, Tensor(indices: [1, 0])) { x, rows in
      let first = Int(rows.elements(as: Int32.self)[0])
      return square(x.slice(first..<first + 1, alongAxis: 0))
    }
  }

  @Test("Scalars, one element and empty tensors", arguments: [Shape(), [1], [1, 1], [0], [2, 0]])
  func edgeShapes(_ shape: Shape) throws {
    let report = try requireGradients(at: Tensor(repeating: 0.4, shape: shape)) { x in
      exp(x) * x
    }
    #expect(report.inputCount == shape.elementCount)
  }

  @Test("Empty beside full") func emptyBesideFull() throws {
    try requireGradients(at: Tensor.zeros([0]), x) { empty, x in sin(x).sum() + empty.sum() }
  }

  @Test("Repeated and broadcast tensors") func repeatedAndBroadcastTensors() throws {
    try requireGradients(at: x, x, Tensor(2)) { a, b, c in a * b * a + c / (1 + square(b)) }
  }

  @Test("Unused argument has zero gradient") func unusedArgumentHasZeroGradient() throws {
    try requireGradients(at: x, Tensor([5.0])) { x, _ in x.sum() }
  }

  @Test("Constant and linear functions") func constantAndLinearFunctions() throws {
    try requireGradients(at: x) { x in x * 0 + 3 }
    try requireGradients(at: x) { x in 4 * x - x.sum() }
  }

  @Test("The point 0") func zeroPoint() throws {
    try requireGradients(at: Tensor.zeros([4])) { x in sin(x) + square(x) }
  }

  @Test("Cancelling derivative") func cancellingDerivative() throws {
    // The gradient of a softmax summed over its axis is exactly zero, by cancellation.
    try requireGradients(at: x) { x in x.softmax(alongAxis: 1).sum() }
  }

  @Test("Any scale of argument and result", arguments: [1e-12, 1e-6, 1, 1e6, 1e12]) func anyScale(
    _ scale: Double
  ) throws {
    try requireGradients(at: x * scale) { x in (sin(x / scale)).sum() * scale }
    try requireGradients(at: x) { x in exp(x) * scale }
  }

  @Test("A result with a large offset") func largeOffset() throws {
    try requireGradients(at: x, options: GradientCheckOptions(order: 1)) { x in sin(x) + 1e4 }
  }

  @Test("Kinks near the point") func kinksNearby() throws {
    let near = Tensor([1e-3, -1e-4, 0.5, -2, 1e-5])
    try requireGradients(at: near) { x in relu(x) * exp(x) }
  }

  @Test("A point at the edge of the domain") func domainEdge() throws {
    let report = try requireGradients(at: Tensor([1e-3, 1, 2])) { x in log(x) * x }
    #expect(report.tallies.contains { $0.domainLimitedCount > 0 })
    #expect("\(report)".contains("domain-limited"))
  }

  @Test("Throwing outside its domain") func throwingOutsideItsDomain() throws {
    struct OutsideDomain: Error {}
    let report = try requireGradients(at: Tensor([0.01, 1])) { x throws(OutsideDomain) in
      guard stopGradient(x).scalars.allSatisfy({ $0 > 0 }) else { throw OutsideDomain() }
      return square(x)
    }
    #expect(report.tallies.contains { $0.domainLimitedCount > 0 })
  }

  @Test("Throwing at the point is rethrown") func throwingAtThePointIsRethrown() {
    struct Refused: Error {}
    #expect(throws: Refused.self) {
      try checkGradients(at: x) { _ throws(Refused) -> Tensor in throw Refused() }
    }
  }

  @Test("Functions that throw numerical failures") func functionsThatThrowNumericalFailures() throws
  {
    let a = Tensor([1.2, 0.3, -0.5, 0.8, 2.1, 0.4, -0.6, 0.2, 1.7], shape: [3, 3])
    try requireGradients(at: a) { a in
      try cholesky(matmul(a, a.transposed()) + Tensor.identity(3))
    }
    try requireGradients(at: a, x.transposed()) { a, x in try solve(a, x) }
  }

  @Test("Network with many kinks") func networkWithManyKinks() throws {
    let inputs = Tensor.linearSpace(from: -2, to: 2, count: 128).reshaped(to: [64, 2])
    let weight = sin(Tensor.range(64)).reshaped(to: [2, 32])
    let head = cos(Tensor.range(32)).reshaped(to: [32, 1])
    try requireGradients(at: weight, head) { weight, head in
      square(matmul(relu(matmul(inputs, weight)), head)).mean()
    }
  }

  @Test("Sine in single precision") func sineInSinglePrecision() throws {
    let x = Tensor.linearSpace(from: -3, to: 3, count: 3000, .float32)
    let report = try requireGradients(at: x) { x in sin(x).sum() }
    #expect(report.outcome(of: .singlePrecision) == .passed)
    let few = x.slice(0..<100, alongAxis: 0)
    let asGiven = try requireGradients(at: few, options: GradientCheckOptions(precision: .asGiven))
    { x in sin(x) }
    #expect(asGiven.outcome(of: .singlePrecision) == nil)
  }

  @Test("Many elements are checked by directions") func manyElements() throws {
    let x = Tensor.linearSpace(from: -3, to: 3, count: 10_000)
    let report = try requireGradients(at: x) { x in sin(x) * 0.1 }
    #expect(report.evaluationCount < 2_000)
  }

  @Test("Same seed same report") func sameSeedSameReport() {
    func report(_ seed: UInt64) -> [GradientReport.Tally] {
      checkGradients(at: x, options: GradientCheckOptions(seed: seed)) { x in exp(x).sum() }.tallies
    }
    #expect(report(1) == report(1))
    #expect(report(1) != report(2))
  }
}
