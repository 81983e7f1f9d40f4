import Autodiff
import Bilevel
import GradientCheck
import Neural
import Solvers
import Testing

@Suite("Inner losses that are not quadratic")
struct FuncIDLossTests {
  private static let inputs: Tensor = {
    var generator = PhiloxGenerator(seed: 11)
    return Tensor.normal([30, 2], using: &generator)
  }()
  private static let features = LinearClass(ridge: 0.02, hasIntercept: true) { x in
    Tensor.concatenated([x, sin(x)], alongAxis: 1)
  }

  /// Compares with AID in the weights and with finite differences, to second order.
  private func check(
    outputs: Int, _ loss: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) throws {
    // ω scales the inputs that the labels are made of, and a penalty on the output.
    let ω = Tensor([0.7, -1.1])
    let innerLoss = { @Sendable (ω: Tensor, v: Tensor, x: Tensor, _: Tensor) in
      let target = tanh(x[0..., 0..<1] * ω[0] + x[0..., 1..<2] * ω[1])
      return loss(v, target.broadcast(to: v.shape))
    }
    let layer = FuncID<Tensor, Tensor>(
      outputCount: outputs, in: .linear(Self.features), innerLoss: innerLoss)
    let sample = FunctionalSample(inputs: Self.inputs, labels: Self.inputs)
    let points = Self.inputs[0..<9] + 0.1
    func functional(_ ω: Tensor) throws -> Tensor {
      square(try layer.solution(at: ω, on: sample)(points) - 0.3).mean()
    }
    let phi = Self.features.features(Self.inputs)
    let parametric = AID<Tensor, Tensor>(
      minimizing: { w, ω in
        innerLoss(ω, matmul(phi, w), Self.inputs, Self.inputs).mean() + 0.02 * square(w).sum()
      }, startingAt: Tensor.zeros([5, outputs]), solver: Newton(), adjoint: DenseCholesky())
    let reference = try gradient(at: ω) { ω throws -> Tensor in
      let w = try parametric.solution(at: ω).value
      return square(matmul(Self.features.features(points), w) - 0.3).mean()
    }
    let slope = try gradient(at: ω, of: functional)
    #expect((slope - reference).normInfinity().scalar < 1e-9 * reference.normInfinity().scalar)
    try requireGradients(at: ω, of: functional)
  }

  @Test("Logistic")
  func logistic() throws {
    try check(outputs: 1) { v, target in Losses.logistic(v, 0.5 + 0.5 * target) }
  }

  @Test("A warm start does not change the derivative, however near it is")
  func warmStart() throws {
    let layer = FuncID<Tensor, Tensor>(outputCount: 1, in: .linear(Self.features)) {
      ω, v, x, _ in Losses.logistic(v, 0.5 + 0.5 * tanh(x[0..., 0..<1] * ω))
    }
    let sample = FunctionalSample(inputs: Self.inputs, labels: Self.inputs)
    func slope(_ ω: Double, _ state: FunctionalState?) throws -> Double {
      try gradient(at: Tensor(ω)) { ω throws -> Tensor in
        square(try layer.solution(at: ω, on: sample, state: state)(Self.inputs) - 0.3).mean()
      }.scalar
    }
    let state = FunctionalState()
    for distance in [1, 1e-1, 1e-2, 1e-3, 1e-5, 1e-8] {
      let ω = 0.7 + distance
      let (warm, cold) = try (slope(ω, state), slope(ω, nil))
      #expect(abs(warm - cold) < 1e-9 * abs(cold))
    }
  }

  @Test("Smoothed quantile, and several outputs with curvatures of their own")
  func smoothedQuantile() throws {
    try check(outputs: 3) { v, target in
      Losses.smoothedQuantile(v, target, level: 0.8, bandwidth: 0.3)
    }
  }

  @Test("Softmax, whose curvature is a full matrix in every row")
  func softmax() throws {
    try check(outputs: 3) { v, target in
      v.logSumExp(alongAxis: 1) - (v * target).sum(alongAxis: 1) * (1.0 / 3)
        + 0.05 * square(v).sum(alongAxis: 1)
    }
  }

  @Test("Huber, with rows on both sides of its kinks")
  func huber() throws {
    try check(outputs: 2) { v, target in Losses.huber(v, 2 * target, delta: 0.4) }
  }

  @Test("The curvature is found in its simplest form, from products")
  func forms() throws {
    func form(
      _ outputs: Int, _ loss: @escaping @Sendable (Tensor, Tensor) -> Tensor
    ) throws -> String {
      let layer = FuncID<Tensor, Tensor>(outputCount: outputs, in: .linear(Self.features)) {
        _, v, x, _ in loss(v, x)
      }
      let sample = FunctionalSample(inputs: Self.inputs, labels: Self.inputs)
      return try layer.solution(at: Tensor(0), on: sample).record.inner.method
    }
    #expect(
      try form(2) { v, _ in square(v - 1).sum(alongAxis: 1) }
        == "FuncID, a multiple of the identity curvature")
    #expect(
      try form(2) { v, x in exp(x[0..., 0]) * square(v - 1).sum(alongAxis: 1) }
        == "FuncID, a multiple of the identity in each row curvature")
    #expect(
      try form(2) { v, x in (exp(x) * square(v - 1)).sum(alongAxis: 1) }
        == "FuncID, diagonal curvature")
    #expect(
      try form(2) { v, _ in square(v - 1).sum(alongAxis: 1) + v[0..., 0] * v[0..., 1] }
        == "FuncID, full curvature")
  }

  @Test("A loss whose rows interact is refused")
  func interaction() {
    let layer = FuncID<Tensor, Tensor>(outputCount: 2, in: .linear(Self.features)) {
      _, v, _, _ in square(v - v.mean(alongAxis: 0, keepingDimension: true)).sum(alongAxis: 1)
    }
    #expect {
      _ = try layer.solution(
        at: Tensor(0), on: FunctionalSample(inputs: Self.inputs, labels: Self.inputs))
    } throws: { "\($0)".contains("depends on the outputs of other rows") }
  }

  @Test("A loss that is not convex in the output, or not finite, is refused")
  func notConvex() {
    func message(_ loss: @escaping @Sendable (Tensor) -> Tensor) -> String {
      let layer = FuncID<Tensor, Tensor>(
        outputCount: 1, in: .linear(LinearClass(ridge: 0) { $0 })
      ) { _, v, _, _ in loss(v).sum(alongAxis: 1) }
      do {
        _ = try layer.solution(
          at: Tensor(0), on: FunctionalSample(inputs: Self.inputs, labels: Self.inputs))
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(message { cos(v: $0) }.contains("not strongly convex in the output"))
    #expect(message { sqrt($0) }.contains("second derivative of the inner loss in the output"))
  }

  @Test("A pointwise adjoint away from the inner sample is refused")
  func pointwiseElsewhere() {
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 2, in: .linear(Self.features), adjoint: .pointwise
    ) { ω, v, _, y in square(v - ω * y).sum(alongAxis: 1) }
    let sample = FunctionalSample(inputs: Self.inputs, labels: Self.inputs)
    #expect {
      _ = try gradient(at: Tensor(1)) { ω throws -> Tensor in
        try layer.solution(at: ω, on: sample)(Self.inputs[0..<5]).sum()
      }
    } throws: { "\($0)".contains("lives on the rows of the inner sample (30)") }
  }

  @Test("A pointwise adjoint on rows that repeat a point is refused")
  func repeatedPoints() {
    let twice = Tensor.concatenated([Self.inputs, Self.inputs[0..<2]], alongAxis: 0)
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 2, in: .linear(Self.features), adjoint: .pointwise
    ) { ω, v, _, y in square(v - ω * y).sum(alongAxis: 1) }
    #expect {
      _ = try gradient(at: Tensor(1)) { ω throws -> Tensor in
        let sample = FunctionalSample(inputs: twice, labels: twice)
        return try layer.solution(at: ω, on: sample)(twice).sum()
      }
    } throws: { "\($0)".contains("2 rows of the inner sample repeat") }
  }

  @Test("A state of another network is refused")
  func foreignState() async {
    await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      let state = FunctionalState()
      let x = Tensor.normal([8, 2], using: &generator)
      for width in [3, 4] {
        let layer = FuncID<Tensor, Tensor>(
          outputCount: 2,
          in: .network(
            NetworkClass(
              features: Dense(inputSize: 2, outputSize: width, using: &generator),
              head: .closedForm(ridge: 0.1)))
        ) { ω, v, _, y in square(v - ω * y).sum(alongAxis: 1) }
        _ = try layer.solution(
          at: Tensor(1), on: FunctionalSample(inputs: x, labels: x), state: state)
      }
    }
  }

  @Test("A second derivative through an adjoint of another class stops, and says so")
  func secondOrder() async {
    await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor.linearSpace(from: -1, to: 1, count: 8).reshaped(to: [8, 1])
      let layer = FuncID<Tensor, Tensor>(
        outputCount: 1, in: .linear(LinearClass(ridge: 0.1) { $0 }), adjoint: .pointwise
      ) { ω, v, _, y in square(v - ω * y).sum(alongAxis: 1) }
      _ = try hessian(at: Tensor(1)) { ω throws -> Tensor in
        try layer.solution(at: ω, on: FunctionalSample(inputs: x, labels: x))(x).sum()
      }
    }
  }
}

private func cos(v: Tensor) -> Tensor { Autodiff.cos(v) }
