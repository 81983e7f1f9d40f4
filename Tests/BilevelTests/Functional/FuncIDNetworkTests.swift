import Autodiff
import Bilevel
import GradientCheck
import Neural
import TestSupport
import Testing

@Suite("Functional implicit differentiation behind networks")
struct FuncIDNetworkTests {
  private struct Data {
    let z: Tensor
    let t: Tensor
    let y: Tensor

    init(_ count: Int, seed: UInt64) {
      var generator = PhiloxGenerator(seed: seed)
      z = Tensor.uniform([count, 2], from: -2, to: 2, using: &generator)
      let confounder = Tensor.normal([count, 1], using: &generator)
      t = z.slice(0..<1, alongAxis: 1) + 0.5 * confounder
      y = sin(t) + confounder
    }
  }

  private static func network(_ widths: [Int], seed: UInt64) -> MLP {
    var generator = PhiloxGenerator(seed: seed)
    return MLP(
      widths: widths, activation: .tanh, finalActivation: .tanh, using: &generator)
  }

  /// ‖v − target‖² with the targets as labels.
  private static func layer(
    _ features: MLP, ridge: Double, steps: Int, adjoint: AdjointMethod = .automatic
  ) -> FuncID<Tensor, Tensor> {
    FuncID(
      outputCount: 4,
      in: .network(
        NetworkClass(
          features: features, head: .closedForm(ridge: ridge),
          training: InnerTraining(stepCount: steps))), adjoint: adjoint
    ) { _, v, _, target in square(v - target).sum(alongAxis: 1) }
  }

  @Test("With a closed-form head it is back-propagation through the two ridge solves")
  func twoRidgeSolves() throws {
    let (first, second) = (Data(50, seed: 1), Data(35, seed: 2))
    let treatment = Self.network([1, 8, 4], seed: 3)
    let instrument = Self.network([2, 8, 5], seed: 4)
    let head = LinearHead(ridge: 0.02)
    // The formula of Xu et al. (2021), both heads solved by ridge regression.
    let firstHead = LinearHead(ridge: 0.05)
    let reference = try gradient(at: treatment) { treatment throws(LinearAlgebraError) in
      let weights = try firstHead.fit(instrument(first.z), to: treatment(first.t))
      let predicted = firstHead.predict(instrument(second.z), weights: weights)
      let u = try head.fit(predicted, to: second.y)
      return head.loss(predicted, targets: second.y, weights: u)
    }
    func outerLoss(_ v: Tensor) throws -> Tensor {
      head.loss(v, targets: second.y, weights: try head.fit(v, to: second.y))
    }
    let layer = Self.layer(instrument, ridge: 0.05, steps: 0)
    let slope = try gradient(at: treatment) { (treatment: MLP) throws -> Tensor in
      let sample = FunctionalSample(inputs: first.z, labels: treatment(first.t))
      return try outerLoss(try layer.solution(at: Tensor(0), on: sample)(second.z))
    }
    #expect(Self.distance(slope, reference) < 1e-10)

    // The derivative along a direction, in forward mode.
    let direction = Self.network([1, 8, 4], seed: 5)
    let tangent = try jvp(at: treatment, along: direction) { (treatment: MLP) throws -> Tensor in
      let sample = FunctionalSample(inputs: first.z, labels: treatment(first.t))
      return try outerLoss(try layer.solution(at: Tensor(0), on: sample)(second.z))
    }.tangent.scalar
    let expected = zip(reference.tensors, direction.tensors)
      .reduce(0) { $0 + ($1.0 * $1.1).sum().scalar }
    #expect(abs(tangent - expected) < 1e-10 * abs(expected))
  }

  @Test("A trained adjoint reaches the closed form, and the record says how far it is")
  func trainedAdjoint() throws {
    let (first, second) = (Data(60, seed: 1), Data(40, seed: 2))
    let instrument = Self.network([2, 8, 5], seed: 4)
    var generator = PhiloxGenerator(seed: 9)
    let head = Dense(inputSize: 5, outputSize: 4, using: &generator)
    func hypergradient(
      _ adjoint: AdjointMethod
    ) throws -> FunctionalHypergradient<MLP> {
      let layer = FuncID<MLP, Tensor>(
        outputCount: 4,
        in: .network(
          NetworkClass(
            features: instrument, head: .closedForm(ridge: 1e-6),
            training: InnerTraining(stepCount: 0))), adjoint: adjoint
      ) { _, v, _, target in square(v - target).sum(alongAxis: 1) }
      return try layer.hypergradient(
        at: Self.network([1, 8, 4], seed: 3),
        on: FunctionalSample(inputs: first.z, labels: Tensor.zeros([60, 4])),
        evaluatedAt: second.z, labels: { $0(first.t) }
      ) { _, v in square(v.sum(alongAxis: 1, keepingDimension: true) - second.y).mean() }
    }
    let exact = try hypergradient(.features(ridge: 1e-6))
    #expect(exact.record.linearSolves.allSatisfy { $0.isConverged })
    #expect(exact.record.adjointComparison == nil)
    let rough = try hypergradient(
      .trained(
        NetworkClass(
          features: instrument, head: .trained(head),
          training: InnerTraining(stepCount: 3))))
    #expect((rough.record.adjointComparison?.cosine ?? 1) < 0.9)
    #expect((rough.record.linearSolves.last?.relativeResidual ?? 0) > 0.1)
    // A linear network, whose minimum is known.
    let linear = try hypergradient(
      .linear(LinearClass(ridge: 0, hasIntercept: true) { $0 }))
    let start = Dense(inputSize: 2, outputSize: 4, using: &generator)
    let trained = try hypergradient(
      .trained(
        NetworkClass(
          features: Activation.identity, head: .trained(start),
          training: InnerTraining(
            optimizer: Adam(learningRate: 3e-2), stepCount: 5000,
            schedule: { 0.998.raised(to: $0) }))))
    #expect(Self.distance(trained.gradient, linear.gradient) < 1e-4)
    let comparison = try #require(trained.record.adjointComparison)
    let (a, b) = (trained.adjoint, exact.adjoint)
    let cosine = (a * b).sum().scalar / (a.flattened().norm() * b.flattened().norm()).scalar
    #expect(abs(comparison.cosine - cosine) < 1e-9)
    #expect(
      abs(comparison.normRatio - (a.flattened().norm() / b.flattened().norm()).scalar) < 1e-9)
  }

  @Test("The gradient of a solution in its input is that of the network")
  func inputDerivative() throws {
    let first = Data(30, seed: 1)
    let layer = Self.layer(Self.network([2, 8, 5], seed: 4), ridge: 0.05, steps: 2)
    let state = FunctionalState()
    let sample = FunctionalSample(inputs: first.z, labels: Tensor.zeros([30, 4]) + first.y)
    let solution = try layer.solution(at: Tensor(0), on: sample, state: state)
    try requireGradients(at: Tensor(rows: [[0.3, -0.7]])) {
      (x: Tensor) throws -> Tensor in try solution(x).sum()
    }
  }

  @Test("Rows of weight two are rows that occur twice")
  func weights() throws {
    let first = Data(20, seed: 1)
    let layer = Self.layer(Self.network([2, 8, 5], seed: 4), ridge: 0.05, steps: 3)
    let twice = Tensor(indices: Array(0..<20) + Array(0..<5))
    let weights = Tensor((0..<20).map { $0 < 5 ? 2.0 : 1.0 })
    func slope(_ z: Tensor, _ t: Tensor, _ weights: Tensor?) throws -> Tensor {
      try gradient(at: Tensor([0.5, 1, -1, 2])) { ω throws -> Tensor in
        let sample = FunctionalSample(inputs: z, labels: t * ω, weights: weights)
        return square(try layer.solution(at: ω, on: sample)(first.z) - 1).mean()
      }
    }
    let weighted = try slope(first.z, first.t, weights)
    let repeated = try slope(
      first.z.gathering(twice, alongAxis: 0), first.t.gathering(twice, alongAxis: 0), nil)
    #expect((weighted - repeated).normInfinity().scalar < 1e-9 * repeated.normInfinity().scalar)
  }

  @Test("Training to a tolerance that is not reached throws, with the state kept")
  func tolerance() throws {
    let first = Data(30, seed: 1)
    let features = Self.network([2, 8, 5], seed: 4)
    func layer(steps: Int) -> FuncID<Tensor, Tensor> {
      FuncID(
        outputCount: 4,
        in: .network(
          NetworkClass(
            features: features, head: .closedForm(ridge: 0.05),
            training: InnerTraining(
              optimizer: Adam(learningRate: 1e-2), stepCount: steps, tolerance: 0.05)))
      ) { _, v, _, target in square(v - target).sum(alongAxis: 1) }
    }
    let sample = FunctionalSample(inputs: first.z, labels: sin(first.t) + Tensor.zeros([30, 4]))
    let state = FunctionalState()
    #expect {
      _ = try layer(steps: 2).solution(at: Tensor(0), on: sample, state: state)
    } throws: { "\($0)".contains("inner problem: FuncID, network training") }
    let solution = try layer(steps: 5000).solution(at: Tensor(0), on: sample, state: state)
    #expect(solution.record.inner.isConverged)
  }

  private static func distance(_ a: MLP, _ b: MLP) -> Double {
    let difference = zip(a.tensors, b.tensors).map { $0 - $1 }
    return difference.globalNorm / b.globalNorm
  }
}

extension Double {
  fileprivate func raised(to exponent: Int) -> Double { pow(Tensor(self), Double(exponent)).scalar }
}
