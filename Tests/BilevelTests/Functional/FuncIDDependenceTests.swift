import Autodiff
import Bilevel
import GradientCheck
import Neural
import Solvers
import TestSupport
import Testing

/// What depends on the outer variables without being one of the arguments of the layer.
@Suite("What a functional problem depends on")
struct FuncIDDependenceTests {
  private static let ω = Tensor([0.3, -0.2, 0.4])
  private static let inputs: Tensor = {
    var generator = PhiloxGenerator(seed: 31)
    return Tensor.normal([12, 2], using: &generator)
  }()
  private static let points: Tensor = {
    var generator = PhiloxGenerator(seed: 32)
    return Tensor.normal([5, 2], using: &generator)
  }()

  @Sendable private static func features(_ x: Tensor) -> Tensor {
    Tensor.concatenated([x, sin(x), Tensor.ones([x.shape[0], 1])], alongAxis: 1)
  }

  /// Softplus and a square: curvature that moves with the output.
  private static func innerLoss(_ v: Tensor, _ target: Tensor) -> Tensor {
    (log(1 + exp(v)) + 0.5 * square(v - target)).sum(alongAxis: 1)
  }

  @Test(
    "Inputs, labels, weights, features, the loss and the points may all be differentiated",
    arguments: [0.0, 0.05])
  func everything(ridge: Double) throws {
    try requireGradients(at: Self.ω) { (ω: Tensor) throws -> Tensor in
      let linearClass = LinearClass(ridge: ridge) { x in Self.features(x * exp(ω[0])) }
      // The outer variable of the layer is another one: the closures capture ω.
      let layer = FuncID<Tensor, Tensor>(outputCount: 2, in: .linear(linearClass)) { _, v, x, y in
        Self.innerLoss(v, y + ω[2] * x)
      }
      let x = Self.inputs + ω[1] * sin(Self.inputs)
      let sample = FunctionalSample(
        inputs: x, labels: cos(ω[0] * Self.inputs), weights: exp(ω[1] * Self.inputs[0..., 1]))
      let h = try layer.solution(at: Tensor(0), on: sample)
      let points = Self.points * ω[2]
      return square(try h(points) - 0.3).mean() + (try h(x)).mean()
    }
  }

  @Test("Fewer rows than features, and features that are differentiated: refused or right")
  func rankDeficient() throws {
    let rows = Self.inputs[0..<3]
    func loss(_ ω: Tensor) throws -> Tensor {
      let linearClass = LinearClass(ridge: 0) { x in Self.features(x * exp(ω[0])) }
      let layer = FuncID<Tensor, Tensor>(outputCount: 2, in: .linear(linearClass)) { _, v, _, y in
        Self.innerLoss(v, y)
      }
      let h = try layer.solution(
        at: Tensor(0), on: FunctionalSample(inputs: rows, labels: rows))
      return square(try h(Self.points)).mean()
    }
    do {
      let slope = try gradient(at: Self.ω, unused: .zero, of: loss)
      let step = Tensor([1e-5, 0, 0])
      let difference =
        (try loss(Self.ω + step).scalar - (try loss(Self.ω - step).scalar)) / 2e-5
      #expect(abs(slope[0].scalar - difference) < 1e-6 * abs(difference))
    } catch {
      #expect("\(error)".contains("ridge"))
    }
  }

  /// A loss for every form of its curvature: c I, cᵢ I, diagonal, full.
  @Sendable private static func rest(_ form: Int, _ v: Tensor, _ x: Tensor) -> Tensor {
    switch form {
    case 0: square(v).sum(alongAxis: 1)
    case 1: exp(x[0..., 0]) * square(v).sum(alongAxis: 1)
    case 2: log(1 + exp(v)).sum(alongAxis: 1)
    default: innerLoss(v, x) + 0.1 * v[0..., 0] * v[0..., 1]
    }
  }

  /// The same problem, with the adjoint of the class itself and in function space.
  private static func loss(
    _ ω: Tensor, _ adjoint: AdjointMethod, form: Int = 3
  ) throws -> Tensor {
    let linearClass = LinearClass(ridge: 0.05, features: features)
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 2, in: .linear(linearClass), adjoint: adjoint
    ) { ω, v, x, y in rest(form, v, x) - (v * (y + ω[2] * x)).sum(alongAxis: 1) }
    let sample = FunctionalSample(
      inputs: inputs, labels: cos(ω[0] * inputs), weights: exp(ω[1] * inputs[0..., 1]))
    let h = try layer.solution(at: ω, on: sample)
    // Called twice, once at points that move.
    return square(try h(points * ω[2]) - 0.3).mean() + (try h(inputs)).mean()
  }

  @Test(
    "In function space the same class gives the exact derivative, in both modes",
    arguments: 0..<4)
  func functionSpace(form: Int) throws {
    let exact = try gradient(at: Self.ω) { ω throws -> Tensor in
      try Self.loss(ω, .automatic, form: form)
    }
    for adjoint in [
      AdjointMethod.features(ridge: 0.05),
      .linear(LinearClass(ridge: 0.05, features: Self.features)),
    ] {
      let reverse = try gradient(at: Self.ω) { ω throws -> Tensor in
        try Self.loss(ω, adjoint, form: form)
      }
      #expect((exact - reverse).normInfinity().scalar < 1e-10)
      for index in 0..<3 {
        let direction = Tensor((0..<3).map { $0 == index ? 1.0 : 0 })
        let tangent = try jvp(at: Self.ω, along: direction) { (ω: Tensor) throws -> Tensor in
          try Self.loss(ω, adjoint, form: form)
        }.tangent
        #expect(abs(tangent.scalar - exact[index].scalar) < 1e-10)
      }
    }
    try requireGradients(at: Self.ω) { (ω: Tensor) throws -> Tensor in
      try Self.loss(ω, .automatic, form: form)
    }
  }

  @Test("In float32 the derivative is that of float64, to rounding")
  func singlePrecision() throws {
    func slope(_ type: ScalarType, _ adjoint: AdjointMethod) throws -> Tensor {
      let layer = FuncID<Tensor, Tensor>(
        outputCount: 2, in: .linear(LinearClass(ridge: 0.05) { $0 }), adjoint: adjoint
      ) { ω, v, x, y in Self.innerLoss(v, y + ω[2] * x) }
      let x = Self.inputs.cast(to: type)
      return try gradient(at: Self.ω.cast(to: type)) { ω throws -> Tensor in
        let sample = FunctionalSample(
          inputs: x, labels: cos(ω[0] * x), weights: exp(ω[1] * x[0..., 1]))
        return square(try layer.solution(at: ω, on: sample)(Self.points.cast(to: type))).sum()
      }.cast(to: .float64)
    }
    let reference = try slope(.float64, .automatic)
    for adjoint in [AdjointMethod.automatic, .features(ridge: 0.05)] {
      let difference = try slope(.float32, adjoint) - reference
      #expect(difference.normInfinity().scalar < 1e-4 * reference.normInfinity().scalar)
    }
  }

  @Test("A hypergradient is a constant of an outer transform that asks for no second derivative")
  func constantInside() throws {
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 2, in: .linear(LinearClass(ridge: 0.05, features: Self.features)),
      adjoint: .features(ridge: 0.05)
    ) { ω, v, _, y in Self.innerLoss(v, ω[0] * y) }
    let sample = FunctionalSample(inputs: Self.inputs, labels: Self.inputs)
    func inner(_ ω: Tensor) throws(SolverError) -> Tensor {
      try layer.hypergradient(at: ω, on: sample, evaluatedAt: Self.points) { _, v in
        square(v).sum()
      }.gradient
    }
    let outside = try inner(Self.ω)
    let slope = try gradient(at: Self.ω) { ω throws -> Tensor in
      (ω * stopGradient(try inner(ω))).sum()
    }
    #expect((slope - outside).normInfinity().scalar == 0)
  }

  @Test("A pullback may be called twice, and with nothing to pull back")
  func pullbackTwice() throws {
    for adjoint in [AdjointMethod.automatic, .features(ridge: 0.05)] {
      let (_, pullback) = try vjp(at: Self.ω) { (ω: Tensor) throws -> Tensor in
        try Self.loss(ω, adjoint)
      }
      let (first, second) = (try pullback(Tensor(1)), try pullback(Tensor(2)))
      #expect((2 * first - second).normInfinity().scalar < 1e-12)
      #expect(try pullback(Tensor(0)).normInfinity().scalar == 0)
    }
  }

  @Test("An outer variable that only the outer loss sees has its direct part")
  func directOnly() throws {
    let layer = FuncID<TreePack<Tensor, Tensor>, Tensor>(
      outputCount: 2, in: .linear(LinearClass(ridge: 0.05, features: Self.features))
    ) { ω, v, _, y in Self.innerLoss(v, ω.elements.0 * y) }
    let sample = FunctionalSample(inputs: Self.inputs, labels: Self.inputs)
    let result = try layer.hypergradient(
      at: TreePack(Tensor(1.2), Tensor(0.5)), on: sample, evaluatedAt: Self.points
    ) { ω, v in ω.elements.1 * square(v).mean() }
    #expect(result.implicit.elements.1.scalar == 0)
    #expect(abs(result.gradient.elements.1.scalar - 2 * result.value.scalar) < 1e-12)
    #expect(result.implicit.elements.0.scalar != 0)
  }

  // MARK: What function space does not see

  private static func stops(_ adjoint: AdjointMethod, inputs isTraced: Bool) throws -> Tensor {
    try gradient(at: ω, unused: .zero) { ω throws -> Tensor in
      let scale = exp(ω[0])
      let linearClass = LinearClass(ridge: 0.05) { x in features(isTraced ? x : x * scale) }
      let layer = FuncID<Tensor, Tensor>(
        outputCount: 2, in: .linear(linearClass), adjoint: adjoint
      ) { _, v, _, y in innerLoss(v, y) }
      let sample = FunctionalSample(
        inputs: isTraced ? inputs * scale : inputs, labels: inputs)
      let h = try layer.solution(at: Tensor(0), on: sample)
      return square(try h(points)).mean()
    }
  }

  @Test("Inner inputs that are differentiated are refused in function space")
  func tracedInputs() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try FuncIDDependenceTests.stops(.features(ridge: 0.05), inputs: true)
    }
    #expect(Self.message(result).contains("are being differentiated"))
  }

  @Test("Features that are differentiated are refused in function space")
  func tracedFeatures() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try FuncIDDependenceTests.stops(.features(ridge: 0.05), inputs: false)
    }
    #expect(Self.message(result).contains("are being differentiated"))
  }

  @Test("A network that is differentiated is refused as the start of training")
  func tracedNetwork() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 3)
      let network = MLP(widths: [2, 4, 3], activation: .tanh, using: &generator)
      _ = try gradient(at: network, unused: .zero) { (network: MLP) throws -> Tensor in
        let layer = FuncID<Tensor, Tensor>(
          outputCount: 2,
          in: .network(
            NetworkClass(
              features: network, head: .closedForm(ridge: 0.1),
              training: InnerTraining(stepCount: 0)))
        ) { _, v, _, y in square(v - y).sum(alongAxis: 1) }
        let sample = FunctionalSample(
          inputs: FuncIDDependenceTests.inputs, labels: FuncIDDependenceTests.inputs)
        return square(
          try layer.solution(at: Tensor(0), on: sample)(FuncIDDependenceTests.points)
        ).mean()
      }
    }
    #expect(Self.message(result).contains("are being differentiated"))
  }

  private static func message(_ result: ExitTest.Result?) -> String {
    errorText(result)
  }

  // MARK: States

  @Test("A warm start leaves the derivative and its evidence as they are, however near it is")
  func warmStart() throws {
    let state = FunctionalState()
    let features = LinearClass(ridge: 0.01, features: Self.features)
    let layer = FuncID<Tensor, Tensor>(outputCount: 1, in: .linear(features)) { ω, v, x, _ in
      let target = (3 * tanh(ω * x[0..., 0])).expandingShape(at: 1)
      return (exp(v) - v * exp(target)).sum(alongAxis: 1)
    }
    let sample = FunctionalSample(inputs: Self.inputs, labels: Self.inputs)
    func slope(_ ω: Double, _ state: FunctionalState?) throws -> Double {
      var record: TrustRecord?
      let slope = try gradient(at: Tensor(ω)) { ω throws -> Tensor in
        let h = try layer.solution(at: ω, on: sample, state: state)
        record = h.record
        return square(try h(Self.points)).sum()
      }.scalar
      let adjoint = try #require(record?.linearSolves.last)
      #expect(adjoint.isConverged)
      return slope
    }
    var ω = 1.0
    for step in [0, 1e-1, 1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-5, 1e-7, 0] {
      ω += step
      let (warm, cold) = (try slope(ω, state), try slope(ω, nil))
      #expect(abs(warm - cold) < 1e-9 * abs(cold))
    }
  }

  @Test("A problem whose solution is zero is solved from a warm start")
  func zeroSolution() throws {
    let state = FunctionalState()
    let features = LinearClass(ridge: 0.01, features: Self.features)
    let layer = FuncID<Tensor, Tensor>(outputCount: 2, in: .linear(features)) { ω, v, _, y in
      square(v - ω * y).sum(alongAxis: 1)
    }
    let sample = FunctionalSample(inputs: Self.inputs, labels: Self.inputs)
    for ω in [1.0, 1e-9, 0] {
      let slope = try gradient(at: Tensor(ω)) { ω throws -> Tensor in
        (try layer.solution(at: ω, on: sample, state: state)(Self.points)).sum()
      }
      let cold = try gradient(at: Tensor(ω)) { ω throws -> Tensor in
        (try layer.solution(at: ω, on: sample)(Self.points)).sum()
      }
      #expect(abs(slope.scalar - cold.scalar) < 1e-9)
    }
  }
}
