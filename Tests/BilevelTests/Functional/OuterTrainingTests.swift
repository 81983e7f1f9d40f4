import Autodiff
import Bilevel
import Foundation
import GradientCheck
import Neural
import Solvers
import TensorFiles
import TestSupport
import Testing

/// A small two-stage problem: instruments z, treatment t, outcome y.
private struct SmallProblem {
  static let count = 24
  let z: Tensor
  let t: Tensor
  let y: Tensor

  init() {
    var generator = PhiloxGenerator(seed: 21)
    z = Tensor.uniform([Self.count, 2], from: -2, to: 2, using: &generator)
    let confounder = Tensor.normal([Self.count, 1], using: &generator)
    t = z.slice(0..<1, alongAxis: 1) + 0.5 * confounder
    y = sin(t) + confounder
  }

  func treatment() -> MLP {
    var generator = PhiloxGenerator(seed: 22)
    return MLP(
      widths: [1, 5, 2], activation: .tanh, isSpectrallyNormalized: true, using: &generator)
  }

  func instrument() -> MLP {
    var generator = PhiloxGenerator(seed: 23)
    return MLP(widths: [2, 4, 3], activation: .tanh, finalActivation: .tanh, using: &generator)
  }

  func problem(
    head: NetworkClass.Head, features: some Layer, training: InnerTraining
  ) -> FunctionalProblem<MLP, Tensor> {
    let y = y
    let t = t
    return FunctionalProblem(
      outputCount: 2, innerInputs: z, innerLabels: { $0(t) },
      innerLoss: { _, v, _, target in square(v - target).sum(alongAxis: 1) },
      outerInputs: z,
      outerLoss: { _, v, _ in square(v.sum(alongAxis: 1, keepingDimension: true) - y).mean() },
      network: NetworkClass(features: features, head: head, training: training))
  }
}

@Suite("Outer loops over functional problems")
struct OuterTrainingTests {
  private static let small = SmallProblem()
  private static let methods: [FunctionalMethod] = [
    .functional(), .functional(.pointwise), .closedFormHead,
    .implicit(ConjugateGradient(maximumIterations: 2)), .unrolled(steps: 2),
    .gradientPenalty(strength: 0.1), .valueFunction(strength: 0.1),
    .functional(.trained(trainedAdjoint)),
  ]

  private static var trainedAdjoint: NetworkClass {
    var generator = PhiloxGenerator(seed: 24)
    return NetworkClass(
      features: small.instrument(),
      head: .trained(Dense(inputSize: 3, outputSize: 2, using: &generator)),
      training: InnerTraining(stepCount: 3, batchSize: 16))
  }

  private static func closedForm(
    steps: Int, batchSize: Int? = nil
  ) -> FunctionalProblem<MLP, Tensor> {
    small.problem(
      head: .closedForm(ridge: 0.05), features: small.instrument(),
      training: InnerTraining(
        optimizer: Adam(learningRate: 1e-2), stepCount: steps, batchSize: batchSize))
  }

  /// The hypergradient of the first step, read off a step of gradient descent with rate 1.
  private static func slope(
    _ problem: FunctionalProblem<MLP, Tensor>, _ method: FunctionalMethod
  ) throws -> (slope: [Tensor], losses: OuterTraining<MLP, Tensor>.Losses) {
    var start = small.treatment()
    let training = OuterTraining(
      problem, method: method, outer: start, optimizer: SGD(learningRate: 1))
    let losses = try training.step()
    start.updateState()
    return (zip(start.tensors, training.outer.tensors).map { $0 - $1 }, losses)
  }

  private static func distance(_ a: [Tensor], _ b: [Tensor]) -> Double {
    zip(a, b).map { $0 - $1 }.globalNorm / b.globalNorm
  }

  /// The slope of a function of ω at the first step's ω.
  private static func reference(_ f: (MLP) throws -> Tensor) throws -> [Tensor] {
    var start = small.treatment()
    start.updateState()
    return try gradient(at: start, of: f).tensors
  }

  @Test("Functional, with a closed-form head, is the scheme of DFIV")
  func dfiv() throws {
    let problem = Self.closedForm(steps: 4)
    let functional = try Self.slope(problem, .functional())
    let dfiv = try Self.slope(problem, .closedFormHead)
    #expect(Self.distance(functional.slope, dfiv.slope) < 1e-10)
    // The last layer is solved from two starts.
    #expect(abs(functional.losses.outer - dfiv.losses.outer) < 1e-12 * dfiv.losses.outer)
  }

  @Test("On a strongly convex linear model AID, functional and a direct derivative agree")
  func stronglyConvex() throws {
    // Features are the instruments themselves: only the head is trained, to convergence.
    var generator = PhiloxGenerator(seed: 25)
    let head = Dense(inputSize: 2, outputSize: 2, using: &generator)
    let problem = Self.small.problem(
      head: .trained(head), features: Activation.identity,
      training: InnerTraining(
        optimizer: Adam(learningRate: 3e-2), stepCount: 6000,
        schedule: { $0 < 3000 ? 1 : $0 < 4500 ? 0.1 : 0.01 }))
    let z = Self.small.z
    let direct = try Self.reference { ω in
      let fit = LinearHead(ridge: 0)
      let v = fit.predict(z, weights: try fit.fit(z, to: ω(Self.small.t)))
      return square(v.sum(alongAxis: 1, keepingDimension: true) - Self.small.y).mean()
    }
    for method in [
      FunctionalMethod.functional(.features(ridge: 0)), .implicit(DenseCholesky()),
    ] {
      #expect(Self.distance(try Self.slope(problem, method).slope, direct) < 1e-6)
    }
  }

  @Test("Unrolled steps are differentiated exactly")
  func unrolled() throws {
    let found = try Self.slope(Self.closedForm(steps: 2), .unrolled(steps: 2)).slope
    // The same two steps of Adam, written out with back-propagation through the ridge solve.
    let head = LinearHead(ridge: 0.05)
    let small = Self.small
    let expected = try Self.reference { ω throws -> Tensor in
      let targets = ω(small.t)
      var features = small.instrument()
      var optimizer = Adam(learningRate: 1e-2)
      for _ in 0..<2 {
        let slope = try gradient(at: features) { features throws(LinearAlgebraError) in
          let phi = features(small.z)
          return head.loss(phi, targets: targets, weights: try head.fit(phi, to: targets))
        }
        optimizer.update(&features, along: slope)
      }
      let phi = features(small.z)
      let v = head.predict(phi, weights: try head.fit(phi, to: targets))
      return square(v.sum(alongAxis: 1, keepingDimension: true) - small.y).mean()
    }
    #expect(Self.distance(found, expected) < 1e-8)
  }

  @Test("Penalties have the gradient of what they minimise")
  func penalties() throws {
    let problem = Self.closedForm(steps: 3)
    let head = LinearHead(ridge: 0.05)
    let small = Self.small
    let (strength, features) = (0.7, small.instrument())
    func objective(_ ω: MLP, _ features: MLP) throws(LinearAlgebraError) -> Tensor {
      let (phi, targets) = (features(small.z), ω(small.t))
      return head.loss(phi, targets: targets, weights: try head.fit(phi, to: targets))
    }
    func outer(_ ω: MLP) throws -> Tensor {
      let phi = features(small.z)
      let v = head.predict(phi, weights: try head.fit(phi, to: ω(small.t)))
      return square(v.sum(alongAxis: 1, keepingDimension: true) - small.y).mean()
    }
    let gradientPenalty = try Self.reference { ω throws -> Tensor in
      let slope = try gradient(at: features) { features throws(LinearAlgebraError) in
        try objective(ω, features)
      }
      let squares = slope.tensors.map { square($0).sum() }
      return try outer(ω) + strength * sqrt(squares.dropFirst().reduce(squares[0], +))
    }
    let found = try Self.slope(problem, .gradientPenalty(strength: strength)).slope
    #expect(Self.distance(found, gradientPenalty) < 1e-9)

    let valueFunction = try Self.reference { ω throws -> Tensor in
      var best = features
      var optimizer = Adam(learningRate: 1e-2)
      var constant = small.treatment()
      constant.updateState()
      for _ in 0..<3 {
        let slope = try gradient(at: best) { best throws(LinearAlgebraError) in
          try objective(constant, best)
        }
        optimizer.update(&best, along: slope)
      }
      return try outer(ω) + strength * (try objective(ω, features) - objective(ω, best))
    }
    let other = try Self.slope(problem, .valueFunction(strength: strength)).slope
    #expect(Self.distance(other, valueFunction) < 1e-9)
  }

  @Test("Every method lowers the outer loss", arguments: methods.indices)
  func progress(index: Int) throws {
    let training = OuterTraining(
      Self.closedForm(steps: 3), method: Self.methods[index], outer: Self.small.treatment(),
      optimizer: Adam(learningRate: 1e-2))
    let first = try training.step()
    var last = first
    for _ in 0..<80 { last = try training.step() }
    #expect(last.outer < 0.9 * first.outer)
  }

  @Test("A loop goes on from a checkpoint to the same bits", arguments: methods.indices)
  func checkpoint(index: Int) throws {
    func make() -> OuterTraining<MLP, Tensor> {
      OuterTraining(
        Self.closedForm(steps: 3, batchSize: 15), method: Self.methods[index],
        outer: Self.small.treatment(), seed: 5)
    }
    func run(_ training: OuterTraining<MLP, Tensor>, upTo count: Int) throws {
      while training.stepCount < count { _ = try training.step() }
    }
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    let path = file.path
    for cut in [0, 1, 4] {
      let whole = make()
      try run(whole, upTo: 7)
      let before = make()
      try run(before, upTo: cut)
      try before.snapshot.writeCheckpoint(to: path)
      let after = make()
      var snapshot = after.snapshot
      try snapshot.readCheckpoint(from: path)
      after.restore(snapshot)
      #expect(after.stepCount == cut)
      try run(after, upTo: 7)
      for (a, b) in zip(whole.outer.tensors, after.outer.tensors) {
        #expect(a.isBitwiseEqual(to: b))
      }
      for (a, b) in zip(
        whole.predictionFeatures.tensors, after.predictionFeatures.tensors)
      {
        #expect(a.isBitwiseEqual(to: b))
      }
    }
  }
}
