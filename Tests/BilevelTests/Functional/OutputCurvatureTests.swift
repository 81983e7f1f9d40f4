import Autodiff
import Bilevel
import Solvers
import Testing

@Suite("The curvature of a pointwise loss, and what rests on it")
struct OutputCurvatureTests {
  private static let count = 6

  private static func inputs(_ type: ScalarType) -> Tensor {
    Tensor.range(count, type).expandingShape(at: 1)
  }

  /// A table with a quadratic loss per row, whose adjoint at row i is −C⁻¹ d / w in closed form.
  private func implicit(
    _ type: ScalarType, scales: [Double], coupling: Double, spread: Double,
    _ adjoint: AdjointMethod
  ) throws -> Tensor {
    let x = Self.inputs(type)
    let scale = Tensor(scales).cast(to: type)
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 2, in: .linear(.tabular(count: Self.count)), adjoint: adjoint
    ) { ω, v, _, scale in
      let rest = v - ω
      let squares = square(rest[0..., 0]) + spread * square(rest[0..., 1])
      return scale * (squares + coupling * rest[0..., 0] * rest[0..., 1])
    }
    let sample = FunctionalSample(inputs: x, labels: scale)
    // The solution is v = ω in every row, so that this is Σ qᵢ ω².
    return try layer.hypergradient(
      at: Tensor([0.5, -0.25]).cast(to: type), on: sample, evaluatedAt: x
    ) { _, v in square(v).sum() }.gradient
  }

  @Test(
    "Rows of very different curvature have their own form",
    arguments: [ScalarType.float32, .float64])
  func scales(type: ScalarType) throws {
    let (small, tolerance) = type == .float32 ? (1e-4, 1e-4) : (1e-11, 1e-9)
    for adjoint in [AdjointMethod.pointwise, .linear(.tabular(count: Self.count))] {
      for (coupling, spread) in [(0.0, 1.0), (0, 3), (1, 1), (1, 3)] {
        let found = try implicit(
          type, scales: [1, 1, small, 1, small * 0.1, 1], coupling: coupling, spread: spread,
          adjoint
        ).cast(to: .float64)
        #expect(
          (found - Tensor([6, -3])).normInfinity().scalar < tolerance,
          "\(adjoint) \(coupling) \(spread)")
      }
    }
  }

  @Test("Only some rows have coupled outputs")
  func someRows() throws {
    let x = Self.inputs(.float64)
    let small = Tensor([1, 1, 1e-11, 1, 1, 1e-11])
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 2, in: .linear(.tabular(count: Self.count)), adjoint: .pointwise
    ) { ω, v, x, small in
      let rest = v - ω
      let coupled = x[0..., 0] .== 2
      let product = rest[0..., 0] * rest[0..., 1]
      return small
        * (square(rest).sum(alongAxis: 1) + select(coupled, product, Tensor.zeros(like: product)))
    }
    let result = try layer.hypergradient(
      at: Tensor([0.5, -0.25]), on: FunctionalSample(inputs: x, labels: small), evaluatedAt: x
    ) { _, v in square(v).sum() }.gradient
    #expect((result - Tensor([6, -3])).normInfinity().scalar < 1e-9)
  }

  @Test("One row that is not a number is enough to refuse")
  func oneRow() {
    let x = Self.inputs(.float64)
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 1, in: .linear(.tabular(count: Self.count))
    ) { _, v, _, y in (y * square(v - 1).sum(alongAxis: 1)) }
    for bad in [Double.nan, .infinity] {
      #expect(throws: SolverError.self) {
        _ = try layer.solution(
          at: Tensor(0),
          on: FunctionalSample(inputs: x, labels: Tensor([1, 1, bad, 1, 1, 1])))
      }
    }
  }

  @Test("A pointwise adjoint at a row of weight zero is refused")
  func zeroWeight() throws {
    let x = Self.inputs(.float64)
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 1, in: .linear(.tabular(count: Self.count)), adjoint: .pointwise
    ) { ω, v, _, y in square(v.squeezingShape(at: 1) - ω * y) }
    let sample = FunctionalSample(
      inputs: x, labels: Tensor([1, 2, 3, 4, 5, 6]), weights: Tensor([1, 1, 0, 1, 1, 1]))
    #expect(throws: SolverError.self) {
      _ = try gradient(at: Tensor(1)) { ω throws -> Tensor in
        try layer.solution(at: ω, on: sample)(x).sum()
      }
    }
  }

  @Test("One row and one output")
  func single() throws {
    let x = Tensor(rows: [[2]])
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 1, in: .linear(LinearClass(ridge: 0.5) { $0 })
    ) { ω, v, _, y in square(v.squeezingShape(at: 1) - ω * y) }
    // (4 + ½) W = 2 · 3 ω.
    let slope = try gradient(at: Tensor(1)) { ω throws -> Tensor in
      try layer.solution(at: ω, on: FunctionalSample(inputs: x, labels: Tensor([3])))(x).sum()
    }
    #expect(abs(slope.scalar - 12 / 4.5) < 1e-12)
  }

  @Test("A loss that stands in another row than its output is refused, weighted or not")
  func otherRow() {
    let x = Self.inputs(.float64)
    let reversed = Tensor(indices: Array((0..<Self.count).reversed()))
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 2, in: .linear(.tabular(count: Self.count)), adjoint: .pointwise
    ) { ω, v, _, y in
      y * square(v.gathering(reversed, alongAxis: 0) - ω).sum(alongAxis: 1)
    }
    for scales in [[1.0, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6]] {
      let sample = FunctionalSample(
        inputs: x, labels: Tensor(scales), weights: Tensor([6, 5, 4, 3, 2, 1]))
      #expect {
        _ = try gradient(at: Tensor(1)) { ω throws -> Tensor in
          try layer.solution(at: ω, on: sample)(x).sum()
        }
      } throws: { "\($0)".contains("depends on the outputs of other rows") }
    }
  }

  @Test("Rows that influence each other a little are refused", arguments: [1e-3, 1e-7])
  func weakInteraction(strength: Double) {
    let x = Self.inputs(.float64)
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 1, in: .linear(.tabular(count: Self.count)), adjoint: .pointwise
    ) { ω, v, _, _ in (square(v - ω) + strength * square(v.mean())).sum(alongAxis: 1) }
    #expect(throws: SolverError.self) {
      _ = try layer.solution(at: Tensor(1), on: FunctionalSample(inputs: x, labels: x))
    }
  }

  @Test("A closed-form adjoint that is not solved is refused, or reported where that is asked for")
  func illConditioned() throws {
    var generator = PhiloxGenerator(seed: 42)
    let x = Tensor.normal([30, 2], using: &generator)
    let features = LinearClass(ridge: 3e-16) { x in
      let sum = x[0..., 0..<1] + 1e-7 * x[0..., 1..<2]
      return Tensor.concatenated([x[0..., 0..<1], sum, sin(x)], alongAxis: 1)
    }
    var layer = FuncID<Tensor, Tensor>(
      outputCount: 1, in: .linear(LinearClass(ridge: 0.1) { $0 }), adjoint: .linear(features)
    ) { ω, v, x, _ in exp(x[0..., 0]) * square(v.squeezingShape(at: 1) - ω * x[0..., 1]) }
    func record() throws -> TrustRecord {
      try layer.hypergradient(
        at: Tensor(1), on: FunctionalSample(inputs: x, labels: x), evaluatedAt: x
      ) { _, v in square(v - x[0..., 1..<2]).sum() }.record
    }
    layer.onFailure = .report
    let residual = try #require(try record().linearSolves.last).relativeResidual
    layer.onFailure = .throw
    #expect(residual > 1e-8)
    #expect(throws: SolverError.self) { try record() }
  }

  // MARK: Rank

  @Test(
    "Features of very different size are all features",
    arguments: [(ScalarType.float64, 1e-9, 1e-6), (.float32, 1e-4, 1e-3)])
  func sizes(type: ScalarType, size: Double, tolerance: Double) throws {
    var generator = PhiloxGenerator(seed: 41)
    let x = Tensor.normal([20, 2], type, using: &generator)
    func slope(_ size: Double) throws -> Double {
      let scales = Tensor([1, size]).cast(to: type)
      let layer = FuncID<Tensor, Tensor>(
        outputCount: 1, in: .linear(LinearClass(ridge: 0) { $0 * scales })
      ) { ω, v, x, _ in square(v.squeezingShape(at: 1) - ω * x[0..., 1]) }
      return try gradient(at: Tensor(1).cast(to: type)) { ω throws -> Tensor in
        let h = try layer.solution(at: ω, on: FunctionalSample(inputs: x, labels: x))
        return (try h(x)[0..., 0] * x[0..., 1]).sum()
      }.scalar
    }
    let (reference, found) = (try slope(1), try slope(size))
    #expect(abs(found - reference) < tolerance * abs(reference))
  }
}
