import Autodiff
import Bilevel
import GradientCheck
import Solvers
import Testing

@Suite("Functional layers inside other layers")
struct FuncIDNestingTests {
  private static let x: Tensor = {
    var generator = PhiloxGenerator(seed: 71)
    return Tensor.normal([10, 2], using: &generator)
  }()
  private static let ridge = LinearClass(ridge: 0.1) { $0 }

  /// h* of labels u y, which is u g.
  private static func solution(_ u: Tensor) throws(SolverError) -> FunctionalSolution {
    let layer = FuncID<Tensor, Tensor>(outputCount: 1, in: .linear(ridge)) { _, v, _, y in
      square(v - y).sum(alongAxis: 1)
    }
    let labels = u * sin(2 * x[0..., 0..<1] + 1)
    return try layer.solution(at: Tensor(0), on: FunctionalSample(inputs: x, labels: labels))
  }

  @Test("A functional solution in the objective of AID is differentiated to second order")
  func insideAID() throws {
    // (u − ω)² + κ u² m is least at u = ω / (1 + κ m), with m the mean of g².
    let m = square(try Self.solution(Tensor(1))(Self.x)).mean().scalar
    let layer = AID<Tensor, Tensor>(
      minimizing: { u, ω in
        square(u[0] - ω[0]) + ω[1] * square(try Self.solution(u[0])(Self.x)).mean()
      }, startingAt: Tensor([0]), solver: Newton(), adjoint: DenseCholesky())
    func loss(_ ω: Tensor) throws -> Tensor { square(try layer.solution(at: ω).value[0]) }
    func reference(_ ω: Tensor) -> Tensor { square(ω[0] / (1 + m * ω[1])) }
    let ω = Tensor([1.3, 0.7])
    #expect(abs(try loss(ω).scalar - reference(ω).scalar) < 1e-10)
    let (slope, expected) = (try gradient(at: ω, of: loss), gradient(at: ω, of: reference))
    #expect((slope - expected).normInfinity().scalar < 1e-9)
    let (second, curvature) = (try hessian(at: ω, of: loss), hessian(at: ω, of: reference))
    #expect((second - curvature).normInfinity().scalar < 1e-8)
  }

  @Test("AID in the loss of a functional layer, and another functional layer in its labels")
  func insideFunctional() throws {
    try requireGradients(at: Tensor([0.4, 0.9])) { (ω: Tensor) throws -> Tensor in
      let shift = AID<Tensor, Tensor>(
        minimizing: { u, ω in square(square(u[0])) / 4 + square(u[0] - ω[1]) },
        startingAt: Tensor([0]), solver: Newton(), adjoint: DenseCholesky())
      let target = try shift.solution(at: ω).value[0]
      let first = try Self.solution(ω[0])(Self.x)
      let layer = FuncID<Tensor, Tensor>(outputCount: 1, in: .linear(Self.ridge)) { _, v, _, y in
        (square(v - sin(y) - target) + exp(v)).sum(alongAxis: 1)
      }
      let h = try layer.solution(
        at: Tensor(0), on: FunctionalSample(inputs: Self.x, labels: first))
      return square(try h(Self.x)).sum()
    }
  }

  @Test("Cells of a table that the sample does not visit are noted in the record")
  func unvisited() throws {
    let x = Tensor(rows: [[0], [2], [2]])
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 1, in: .linear(.tabular(count: 4))
    ) { _, v, _, y in square(v.squeezingShape(at: 1) - y) }
    let solution = try layer.solution(
      at: Tensor(0), on: FunctionalSample(inputs: x, labels: Tensor([1, 2, 4])))
    let values = try solution(Tensor(rows: [[0], [1], [2], [3]])).scalars
    for (a, b) in zip(values, [1.0, 0, 3, 0]) { #expect(abs(a - b) < 1e-12) }
    #expect(
      solution.record.notes.contains {
        $0.contains("4 features of the class") && $0.contains("have 2 independent directions")
      })
  }

  @Test(
    "A cell keeps its value in single precision, however small its weight",
    arguments: [1e-6, 1e-12])
  func smallWeight(weight: Double) throws {
    let x = Tensor(rows: [[0], [0], [1], [1]]).cast(to: .float32)
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 1, in: .linear(.tabular(count: 2))
    ) { _, v, _, y in square(v.squeezingShape(at: 1) - y) }
    let sample = FunctionalSample(
      inputs: x, labels: Tensor([1, 3, 5, 7]).cast(to: .float32),
      weights: Tensor([0.5, 0.5 - 2 * weight, weight, weight]).cast(to: .float32))
    let solution = try layer.solution(at: Tensor(0).cast(to: .float32), on: sample)
    let values = try solution(x).scalars
    #expect(abs(values[0] - 2) < 1e-4)
    #expect(abs(values[2] - 6) < 1e-3)
    #expect(solution.record.notes.isEmpty)
  }

  @Test("A direction that rounding hides is noted in the record, for the adjoint too")
  func hiddenDirection() throws {
    // In float32 the second feature differs from the first by less than √ε.
    let x = Tensor.linearSpace(from: 0.5, to: 1, count: 9).reshaped(to: [9, 1]).cast(to: .float32)
    let features = LinearClass(name: "nearly the same", ridge: 0) { x in
      .concatenated([x, x + 1e-5 * square(x)], alongAxis: 1)
    }
    let sample = FunctionalSample(inputs: x, labels: x.squeezingShape(at: 1))
    for (adjoint, count) in [(AdjointMethod.automatic, 1), (.linear(features), 2)] {
      let layer = FuncID<Tensor, Tensor>(
        outputCount: 1, in: .linear(features), adjoint: adjoint
      ) { ω, v, _, y in square(v.squeezingShape(at: 1) - ω * y) }
      var record: TrustRecord?
      _ = try gradient(at: Tensor(1).cast(to: .float32)) { ω throws -> Tensor in
        let h = try layer.solution(at: ω, on: sample)
        record = h.record
        return try h(x).sum()
      }
      let notes = record?.notes ?? []
      #expect(notes.contains { $0.contains("have 1 independent directions") }, "\(notes)")
      #expect(notes.count == count)
    }
  }
}
