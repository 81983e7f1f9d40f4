import Autodiff
import GradientCheck
import Testing

/// Wrong derivatives must be caught, the tensor and the element named, the right side blamed.
///
/// The bugs are those that the gradient checkers of other libraries were tried on.
@Suite("Planted bugs are found") struct PlantedBugTests {
  /// A model whose leaves have names.
  struct Model: TensorTree {
    var weight: Tensor
    var bias: Tensor
    mutating func visitTensors(_ visitor: inout TensorVisitor) {
      visitor.visit(&weight, "weight")
      visitor.visit(&bias, "bias")
    }
  }

  /// sin x with factors on its derivative: one for each element, for each mode.
  static func sine(
    forward: @escaping @Sendable (Tensor) -> Tensor = { Tensor.ones(like: $0) },
    reverse: @escaping @Sendable (Tensor) -> Tensor = { Tensor.ones(like: $0) }
  ) -> CustomDerivative<Tensor, Tensor, Never> {
    CustomDerivative(
      name: "planted", evaluate: { sin($0) },
      jvp: { x, _, tangent in tangent * cos(x) * forward(x) },
      vjp: { x, _, cotangent in cotangent * cos(x) * reverse(x) })
  }

  /// Ones, with another factor at one flat index.
  static func factor(_ factor: Double, at index: Int) -> @Sendable (Tensor) -> Tensor {
    { x in
      var factors = [Double](repeating: 1, count: x.elementCount)
      factors[index] = factor
      return Tensor(factors, shape: x.shape).cast(to: x.scalarType)
    }
  }

  let small = Tensor([0.3, -1.2, 0.7, 2.1, -0.4, 0.9], shape: [2, 3])

  @Test("One wrong element of six is named", arguments: [1.01, 1.05, 1.000_01]) func oneOfSix(
    _ factor: Double
  ) throws {
    let f = Self.sine(reverse: Self.factor(factor, at: 4))
    let report = checkGradients(at: Model(weight: small, bias: Tensor(0.5)), named: "loss") {
      (f($0.weight) * $0.bias).sum()
    }
    #expect(report.outcome == .failed)
    let reverse = report.disagreements.filter { $0.check == .reverse }
    #expect(reverse.map(\.leaf) == ["argument 0.weight"])
    #expect(reverse.map(\.index) == [[1, 1]])
    #expect(report.outcome(of: .forward) == .passed)
    #expect(report.outcome(of: .adjointIdentity) == .failed)
    #expect(report.outcome(of: .forwardOverReverse) == nil)
    let worst = try #require(reverse.first)
    #expect((worst.analytic / worst.numeric - factor).magnitude < 1e-9)
    #expect((worst.relativeDifference - (1 - 1 / factor)).magnitude < 1e-9)
    #expect(worst.difference > worst.limit)

    let text = report.description
    #expect(text.contains("Gradient check FAILED: loss, order 2"))
    #expect(text.contains("argument 0.weight [2, 3], reverse mode, disagrees: 1 of 6 elements"))
    #expect(text.contains("[1, 1]"))
    #expect(text.contains("suspect a reverse (VJP) rule"))
    #expect(text.contains("seed: 20417"))
  }

  @Test("One wrong element of 400 is named") func oneOf400() {
    let x = Tensor.linearSpace(from: -1, to: 1, count: 400).reshaped(to: [20, 20])
    let f = Self.sine(reverse: Self.factor(1.5, at: 217))
    let report = checkGradients(at: x) { f($0).sum() }
    let reverse = report.disagreements.filter { $0.check == .reverse }
    #expect(reverse.map(\.index) == [[10, 17]])
    #expect(report.outcome(of: .forward) == .passed)
  }

  @Test("One wrong element of 10,000 in reverse mode is found") func oneOf10000InReverse() {
    let x = Tensor.linearSpace(from: -1, to: 1, count: 10_000).reshaped(to: [100, 100])
    let f = Self.sine(reverse: Self.factor(1.5, at: 4321))
    let report = checkGradients(at: Tensor([1.0, 2.0]), x) { scale, x in
      f(x).sum() * scale.sum()
    }
    let reverse = report.disagreements.filter { $0.check == .reverse }
    #expect(reverse.map(\.leaf) == ["argument 1"])
    #expect(reverse.map(\.index) == [[43, 21]])
    #expect(report.outcome(of: .forward) == .passed)
  }

  @Test("All of 10,000 wrong in forward mode") func allOf10000InForward() throws {
    let x = Tensor.linearSpace(from: -1, to: 1, count: 10_000)
    let f = Self.sine(forward: { Tensor(repeating: 1.05, shape: $0.shape) })
    let report = checkGradients(at: x) { f($0).sum() }
    #expect(report.outcome(of: .forward) == .failed)
    #expect(report.outcome(of: .reverse) == .passed)
    let elements = report.disagreements.filter { $0.leaf == "argument 0" && $0.check == .forward }
    #expect(elements.count == 10)
    for element in elements {
      #expect(element.index != nil)
      #expect((element.analytic / element.numeric - 1.05).magnitude < 1e-6)
    }
    #expect("\(report)".contains("suspect a forward (JVP) rule"))
  }

  @Test("One wrong element in forward mode") func oneElementInForward() {
    let f = Self.sine(forward: Self.factor(1.01, at: 2))
    let report = checkGradients(at: small) { f($0) }
    let forward = report.disagreements.filter { $0.check == .forward }
    #expect(Set(forward.map(\.leaf)) == ["argument 0", "output"])
    #expect(forward.allSatisfy { $0.index == [0, 2] })
    #expect(report.outcome(of: .reverse) == .passed)
  }

  @Test("A wrong tiny gradient", arguments: [1e-6, 1e-7, 1e-12]) func tinyGradient(_ scale: Double)
  {
    let f = Self.sine(reverse: { Tensor(repeating: 2, shape: $0.shape) })
    let report = checkGradients(at: small) { f($0) * scale }
    let reverse = report.disagreements.filter { $0.check == .reverse }
    #expect(reverse.count == 6)
  }

  @Test("A wrong tiny gradient beside a large one") func tinyGradientBesideALargeOne() {
    let f = Self.sine(reverse: { Tensor(repeating: 2, shape: $0.shape) })
    let report = checkGradients(at: small, Tensor([1, 2])) { tiny, large in
      f(tiny).sum() * 1e-6 + square(large).sum()
    }
    let reverse = report.disagreements.filter { $0.check == .reverse }
    #expect(Set(reverse.map(\.leaf)) == ["argument 0"])
    #expect(reverse.count == 6)
  }

  @Test("Both modes wrong alike") func bothModesWrong() {
    let half = { @Sendable (x: Tensor) in Tensor(repeating: 0.5, shape: x.shape) }
    let f = Self.sine(forward: half, reverse: half)
    let report = checkGradients(at: small) { f($0) }
    #expect(report.outcome(of: .adjointIdentity) == .passed)
    #expect(report.outcome(of: .forward) == .failed)
    #expect(report.outcome(of: .reverse) == .failed)
    #expect("\(report)".contains("both modes agree with each other"))
  }

  @Test("A hidden dependence") func hiddenDependence() throws {
    let report = checkGradients(at: small) { x in x * stopGradient(x) }
    #expect(report.outcome(of: .reverse) == .failed)
    let detached = checkGradients(at: small) { x in stopGradient(x) }
    #expect(detached.outcome(of: .reverse) == .failed)
    #expect(
      try #require(detached.disagreements.first { $0.check == .reverse })
        .notes.contains("analytic is exactly 0"))
  }

  @Test("Modes inconsistent below the resolution of differences")
  func modesInconsistentBelowTheResolutionOfDifferences() {
    let f = Self.sine(reverse: { Tensor(repeating: 1 + 1e-9, shape: $0.shape) })
    let report = checkGradients(at: Tensor([1.0]), small) { one, x in f(x) * one }
    #expect(report.outcome(of: .forward) == .passed)
    #expect(report.outcome(of: .reverse) == .passed)
    #expect(report.disagreements.map(\.check) == [.adjointIdentity])
    #expect(report.disagreements.map(\.leaf) == ["argument 1"])
  }

  @Test("A pullback that is not linear") func nonlinearPullback() {
    let f = CustomDerivative<Tensor, Tensor, Never>(
      name: "nonlinear", evaluate: { $0 * 2 }, jvp: { _, _, tangent in 2 * tangent },
      vjp: { _, _, cotangent in 2 * abs(cotangent) })
    let report = checkGradients(at: small) { f($0) }
    #expect(report.outcome(of: .linearity) == .failed)
  }

  @Test("NaN in a rule") func nanInARule() throws {
    let f = Self.sine(reverse: Self.factor(.nan, at: 3))
    let report = checkGradients(at: small) { f($0) }
    let worst = try #require(report.disagreements.first { $0.check == .reverse })
    #expect(worst.index == [1, 0])
    #expect(worst.notes.contains("analytic is nan"))
    #expect(worst.ratio == .infinity)
  }

  @Test("A wrong second derivative alone") func wrongSecondDerivativeOnly() throws {
    // The rule gives the right first derivative, and hides that it depends on x at one element.
    let f = CustomDerivative<Tensor, Tensor, Never>(
      name: "detached", evaluate: { sin($0) },
      jvp: { x, _, tangent in
        let mask = Tensor(mask: [false, false, true, false, false, false], shape: x.shape)
        return tangent * cos(select(mask, stopGradient(x), x))
      })
    let model = Model(weight: small, bias: Tensor([0.5]))
    #expect(
      checkGradients(at: model, options: GradientCheckOptions(order: 1)) { f($0.weight) * $0.bias }
        .passed)
    let report = checkGradients(at: model) { f($0.weight) * $0.bias }
    #expect(report.outcome(of: .forward) == .passed)
    #expect(report.outcome(of: .reverse) == .passed)
    for check in [
      GradientReport.Check.forwardOverReverse, .reverseOverReverse, .reverseOverForward,
    ] {
      let found = report.disagreements.filter { $0.check == check }
      #expect(found.map(\.leaf) == ["argument 0.weight"])
      #expect(found.map(\.index) == [[0, 2]])
    }
    let forward = report.disagreements.filter { $0.check == .forwardOverForward }
    #expect(forward.map(\.leaf) == ["output"])
    #expect(forward.map(\.index) == [[0, 2]])
  }

  @Test("Wrong second derivative in one mode only") func wrongSecondDerivativeInOneModeOnly() {
    // Right to first order in both modes, but the reverse rule is a constant to every later one.
    let f = CustomDerivative<Tensor, Tensor, Never>(
      name: "detached", evaluate: { sin($0) },
      jvp: { x, _, tangent in tangent * cos(x) },
      vjp: { x, _, cotangent in cotangent * cos(stopGradient(x)) })
    let report = checkGradients(at: small) { f($0) }
    #expect(report.outcome(of: .forwardOverForward) == .passed)
    #expect(report.outcome(of: .forwardOverReverse) == .failed)
    #expect(report.outcome(of: .reverseOverReverse) == .failed)
  }

  @Test("A rule that is wrong in float32 only") func singlePrecisionOnly() {
    let f = CustomDerivative<Tensor, Tensor, Never>(
      name: "single", evaluate: { sin($0) },
      jvp: { x, _, tangent in
        tangent * cos(x) * (x.scalarType == .float32 ? Self.factor(1.01, at: 5)(x) : .ones(like: x))
      })
    let report = checkGradients(at: small.cast(to: .float32)) { f($0) }
    #expect(report.outcome(of: .reverse) == .passed)
    #expect(report.disagreements.map(\.check) == [.singlePrecision])
    #expect(report.disagreements.map(\.index) == [[1, 2]])
  }

  @Test("A function that is not deterministic") func nonDeterministic() throws {
    var runs = 0.0
    let report = checkGradients(at: small) { x in
      runs += 1
      return ["loss": x.sum(), "sample": x.sum() + Tensor(runs)]
    }
    #expect(report.disagreements.map(\.check) == [.determinism])
    #expect(report.disagreements.map(\.leaf) == ["output.sample"])
    #expect(report.outcome(of: .reverse) == nil)
    #expect("\(report)".contains("not deterministic"))
  }

  @Test("Value changed by tracing") func valueChangedByTracing() {
    let report = checkGradients(at: small) { x in x.isTraced ? sin(x) + 1 : sin(x) }
    #expect(report.outcome(of: .tracedValue) == .failed)
  }

  @Test("A kink at the point is said to be one") func kinkAtThePoint() throws {
    let x = Tensor([0.5, 0, -0.5, 2], shape: [2, 2])
    let report = checkGradients(at: x) { relu($0).sum() }
    #expect(report.outcome == .inconclusive)
    #expect(!report.passed)
    let kink = try #require(report.disagreements.first { $0.check == .reverse })
    #expect(kink.index == [0, 1])
    #expect(kink.leaf == "argument 0")
    #expect(kink.notes.contains("possible kink: left 0, right 1"))
    #expect("\(report)".contains("INCONCLUSIVE"))
  }

  @Test("Wrong choice at a kink") func wrongChoiceAtAKink() throws {
    let f = CustomDerivative<Tensor, Tensor, Never>(
      name: "steep", evaluate: { relu($0) },
      jvp: { x, _, tangent in tangent * select(x .== 0, Tensor(3), (x .> 0).cast(to: .float64)) })
    let report = checkGradients(at: Tensor([0.5, 0])) { f($0) }
    let worst = try #require(report.disagreements.first { $0.check == .reverse })
    #expect(worst.outcome == .failed)
    #expect(worst.index == [1])
    #expect(worst.notes.contains { $0.hasSuffix("analytic outside") })
  }

  @Test("Wrong at a domain edge") func wrongAtADomainEdge() throws {
    let f = CustomDerivative<Tensor, Tensor, Never>(
      name: "log", evaluate: { log($0) },
      jvp: { x, _, tangent in tangent / x * Self.factor(1.01, at: 0)(x) })
    let report = checkGradients(at: Tensor([1e-3, 1, 2])) { f($0) }
    let worst = try #require(report.disagreements.first { $0.check == .reverse })
    #expect(worst.index == [0])
    #expect(worst.notes.contains("domain-limited"))
    #expect(report.disagreements.filter { $0.check == .reverse }.count == 1)
  }

  @Test("Not finite at the point") func notFiniteAtThePoint() throws {
    let report = checkGradients(at: Tensor([1, -1])) { log($0) }
    #expect(report.outcome == .inconclusive)
    #expect(report.disagreements.map(\.index) == [[1]])
    #expect(report.outcome(of: .reverse) == nil)
  }

  @Test("Noise is not blamed on the gradient") func noiseIsNotBlamedOnTheGradient() {
    // Like a solver stopped at 1e-5: the values jump, the derivative is right.
    let f = CustomDerivative<Tensor, Tensor, Never>(
      name: "noisy", evaluate: { x in sin(x) * (1 + 1e-5 * sin(1e12 * x)) },
      jvp: { x, _, tangent in tangent * cos(x) })
    let report = checkGradients(at: small, options: GradientCheckOptions(order: 1)) { f($0) }
    #expect(report.outcome(of: .reverse) == .inconclusive)
    #expect(report.outcome(of: .forward) == .inconclusive)
  }
}
