import Autodiff
import Bilevel
import GradientCheck
import Neural
import Solvers
import Testing

@Suite("Functional implicit differentiation")
struct FuncIDTests {
  // MARK: A table of four points

  /// Functions on {0, 1, 2, 3} with two outputs, three outer variables and a quartic inner loss.
  private enum Table {
    static let point = Tensor([0.7, -0.3, -1.0])
    static let inputs = Tensor(rows: [[0], [1], [2], [3]])
    static let sample = FunctionalSample(
      inputs: inputs, labels: Tensor([0, 1, 2, 3]), weights: Tensor([0.1, 0.2, 0.3, 0.4]))

    static func layer(_ adjoint: AdjointMethod = .automatic) -> FuncID<Tensor, Tensor> {
      FuncID(outputCount: 2, in: .linear(.tabular(count: 4)), adjoint: adjoint) { ω, v, _, x in
        let targets = Tensor.stacked(
          [ω[0] * sin(x) + ω[1], ω[0] * cos(x) - ω[1] * x], alongAxis: 1)
        let quartic = square(square(v)).sum(alongAxis: 1) * (exp(ω[2]) / 4)
        return 0.5 * square(v - targets).sum(alongAxis: 1) + quartic
      }
    }

    static func outerLoss(_ ω: Tensor, _ v: Tensor) -> Tensor {
      let x = Tensor([0, 1, 2, 3])
      let y = Tensor.stacked([x / 2, 1 - x], alongAxis: 1)
      return 0.5 * square(v - y).sum(alongAxis: 1).mean() + 0.05 * square(ω).sum()
    }

    static func loss(_ ω: Tensor, _ adjoint: AdjointMethod = .automatic) throws -> Tensor {
      let h = try layer(adjoint).solution(at: ω, on: sample)
      return outerLoss(ω, try h(inputs))
    }
  }

  @Test("The tabular problem, in every quantity")
  func tabular() throws {
    let h = try Table.layer().solution(at: Table.point, on: Table.sample)(Table.inputs)
    expect(h[0], [-0.29094023612, 0.61459648654], 1e-10)
    expect(h[3], [-0.19834539943, 0.20388725494], 1e-10)
    for adjoint in [AdjointMethod.automatic, .pointwise] {
      let result = try Table.layer(adjoint).hypergradient(
        at: Table.point, on: Table.sample, evaluatedAt: Table.inputs, of: Table.outerLoss)
      #expect(abs(result.value.scalar - 1.3947098177541954) < 1e-12)
      expect(result.direct, [0.07, -0.03, -0.1], 1e-12)
      expect(result.implicit, [-0.8921199421, -2.9541346790, -0.0066895076], 1e-9)
      expect(result.gradient, [-0.8221199421, -2.9841346790, -0.1066895076], 1e-9)
      expect(result.adjoint[0], [0.66520767831, 0.68002335176], 1e-9)
      expect(result.adjoint[3], [1.01729675968, -1.31700752194], 1e-9)
      let composed = try gradient(at: Table.point) { ω throws -> Tensor in
        try Table.loss(ω, adjoint)
      }
      expect(composed, result.gradient.scalars, 1e-13)
    }
  }

  @Test("The tabular problem is differentiable to second order in every mixture of modes")
  func tabularOrders() throws {
    try requireGradients(at: Table.point) { (ω: Tensor) throws -> Tensor in try Table.loss(ω) }
  }

  // MARK: Linear models

  private static func data(_ count: Int, seed: UInt64) -> (x: Tensor, y: Tensor) {
    var generator = PhiloxGenerator(seed: seed)
    let x = Tensor.normal([count, 3], using: &generator)
    let y = sin(x[0..., 0...1]) + 0.3 * Tensor.normal([count, 2], using: &generator)
    return (x, y)
  }

  @Sendable private static func polynomial(_ x: Tensor) -> Tensor {
    Tensor.concatenated([x, square(x), Tensor.ones([x.shape[0], 1])], alongAxis: 1)
  }

  /// Weighted regression with a per-output scale: curvature that differs by row and output.
  private static func regression(
    _ functionClass: LinearClass, _ adjoint: AdjointMethod = .automatic
  ) -> FuncID<Tensor, Tensor> {
    FuncID(outputCount: 2, in: .linear(functionClass), adjoint: adjoint) { ω, v, x, y in
      let weight = exp(ω[0] * x[0..., 0]).expandingShape(at: 1) * exp(ω[1...2])
      return (weight * square(v - ω[3] * y)).sum(alongAxis: 1)
    }
  }

  private static let ω = Tensor([0.3, -0.2, 0.4, 1.2])

  @Test(
    "FuncID equals AID and finite differences on a linear model", arguments: [0.0, 0.07])
  func linearModel(ridge: Double) throws {
    let (x, y) = Self.data(40, seed: 1)
    let (validation, targets) = Self.data(25, seed: 2)
    let layer = Self.regression(LinearClass(ridge: ridge, features: Self.polynomial))
    func functional(_ ω: Tensor) throws -> Tensor {
      let h = try layer.solution(at: ω, on: FunctionalSample(inputs: x, labels: y))
      return meanSquaredError(try h(validation), targets)
    }
    let phi = Self.polynomial(x)
    let parametric = AID<Tensor, Tensor>(
      minimizing: { w, ω in
        let weight = exp(ω[0] * x[0..., 0]).expandingShape(at: 1) * exp(ω[1...2])
        let loss = (weight * square(matmul(phi, w) - ω[3] * y)).sum(alongAxis: 1).mean()
        return loss + ridge * square(w).sum()
      }, startingAt: Tensor.zeros([7, 2]), solver: NewtonCG(), adjoint: DenseCholesky())
    let reference = try gradient(at: Self.ω) { ω throws -> Tensor in
      let w = try parametric.solution(at: ω).value
      return meanSquaredError(matmul(Self.polynomial(validation), w), targets)
    }
    let slope = try gradient(at: Self.ω, of: functional)
    expect(slope, reference.scalars, 1e-9)
    try requireGradients(at: Self.ω, of: functional)
  }

  @Test("Duplicated features leave the gradient as it is, where AID refuses")
  func duplicatedFeatures() throws {
    let (x, y) = Self.data(40, seed: 1)
    let (validation, targets) = Self.data(25, seed: 2)
    @Sendable func doubled(_ x: Tensor) -> Tensor {
      let phi = Self.polynomial(x)
      return Tensor.concatenated([phi, phi, 2 * phi], alongAxis: 1)
    }
    func slope(_ features: @escaping @Sendable (Tensor) -> Tensor) throws -> Tensor {
      let layer = Self.regression(LinearClass(ridge: 0, features: features))
      return try gradient(at: Self.ω) { ω throws -> Tensor in
        let h = try layer.solution(at: ω, on: FunctionalSample(inputs: x, labels: y))
        return meanSquaredError(try h(validation), targets)
      }
    }
    let (single, redundant) = (try slope(Self.polynomial), try slope(doubled))
    expect(redundant, single.scalars, 1e-11)
    let phi = doubled(x)
    let parametric = AID<Tensor, Tensor>(
      minimizing: { w, ω in
        let weight = exp(ω[0] * x[0..., 0]).expandingShape(at: 1) * exp(ω[1...2])
        return (weight * square(matmul(phi, w) - ω[3] * y)).sum(alongAxis: 1).mean()
      }, startingAt: Tensor.zeros([21, 2]), solver: LBFGS(), adjoint: DenseCholesky())
    #expect(throws: SolverError.self) {
      try gradient(at: Self.ω) { ω throws -> Tensor in
        let w = try parametric.solution(at: ω).value
        return meanSquaredError(matmul(doubled(validation), w), targets)
      }
    }
  }

  private func expect(
    _ found: Tensor, _ expected: [Double], _ tolerance: Double,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(found.elementCount == expected.count, sourceLocation: sourceLocation)
    for (a, b) in zip(found.scalars, expected) {
      #expect(abs(a - b) <= tolerance, sourceLocation: sourceLocation)
    }
  }
}
