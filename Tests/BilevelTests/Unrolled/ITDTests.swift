import Autodiff
import Bilevel
import GradientCheck
import Solvers
import TestSupport
import Testing

/// Unrolled iterations against closed forms, against each other, and against the implicit layer.
@Suite("ITD")
struct ITDTests {
  /// The Newton map of y³ + y = x.
  private func newton(_ y: Tensor, _ x: Tensor) -> Tensor {
    (2 * y * y * y + x) / (3 * y * y + 1)
  }

  /// A contraction with the same fixed point: factor about 0.13 at 1.3.
  private func contraction(_ y: Tensor, _ x: Tensor) -> Tensor {
    y - (y * y * y + y - x) / 2.8
  }

  private let settings: [(ITD<Tensor, Tensor>.Span, ITD<Tensor, Tensor>.Memory)] = [
    (.all, .full), (.last(60), .full), (.all, .checkpointed()), (.all, .checkpointed(segment: 7)),
    (.last(60), .checkpointed(segment: 100)),
  ]

  @Test("Derivatives of a cubic root up to the third, in every mixture", arguments: [1, 2, 3])
  func cubic(order: Int) throws {
    let expected = cubicRootDerivatives(1.3)[order]
    for (span, memory) in settings {
      let layers = [
        ITD(
          iterating: newton, startingAt: Tensor(0.5), steps: 12, differentiating: span,
          memory: memory),
        ITD(
          iterating: contraction, startingAt: Tensor(0.5), steps: 60, differentiating: span,
          memory: memory),
      ]
      for layer in layers {
        for modes in mixtures(order: order) {
          let f = { (x: Tensor) throws -> Tensor in try layer.solution(at: x).value }
          let found = try derivative(f, modes: modes)(Tensor(1.3)).scalar
          #expect(abs(found - expected) <= 1e-9, "\(modes), \(span), \(memory)")
        }
      }
    }
  }

  // MARK: - A non-symmetric contraction

  /// x ↦ tanh(W x + C y) / 2 with a W that is not symmetric.
  private struct Contraction {
    let w: Tensor
    let c: Tensor
    let y: Tensor
    let target: Tensor

    init() {
      var generator = PhiloxGenerator(seed: 31)
      w = 0.5 * Tensor.normal([4, 4], using: &generator)
      c = Tensor.normal([4, 3], using: &generator)
      y = Tensor.normal([3], using: &generator)
      target = Tensor.normal([4], using: &generator)
    }

    func map(_ x: Tensor, _ y: Tensor) -> Tensor { 0.5 * tanh(matmul(w, x) + matmul(c, y)) }

    func loss(_ x: Tensor) -> Tensor { square(x - target).sum() + (x * x * x).sum() }

    func itd(
      _ steps: Int, _ span: ITD<Tensor, Tensor>.Span = .all,
      _ memory: ITD<Tensor, Tensor>.Memory = .full
    ) -> ITD<Tensor, Tensor> {
      ITD(
        iterating: map, startingAt: Tensor.zeros([4]), steps: steps, differentiating: span,
        memory: memory)
    }

    /// The fixed point by a loop that no transform sees.
    var aid: AID<Tensor, Tensor> {
      AID(
        fixedPoint: map, startingAt: Tensor.zeros([4]), solver: NoSolver(),
        adjoint: GMRES(tolerance: 1e-13)
      ).solved(tolerance: StoppingRule(relative: 1e-12)) { x, y in
        var x = x
        for _ in 0..<400 { x = Tensor(map(x, y).scalars) }
        return x
      }
    }

    func value(_ layer: any BilevelLayer<Tensor, Tensor>, _ y: Tensor) throws -> Tensor {
      loss(try layer.solution(at: y).value)
    }
  }

  @Test("Converged, it agrees with the implicit layer in value, gradient and every Hessian")
  func agreesWithImplicit() throws {
    let problem = Contraction()
    let (itd, aid) = (problem.itd(400), problem.aid)
    #expect(
      relativeError(try problem.value(itd, problem.y), try problem.value(aid, problem.y)) < 1e-13)
    let slope = try gradient(at: problem.y) { try problem.value(aid, $0) }
    let unrolled = try gradient(at: problem.y) { try problem.value(itd, $0) }
    #expect(relativeError(unrolled, slope) < 1e-12)
    for (mixed, expected) in zip(
      try hessians(at: problem.y) { try problem.value(itd, $0) },
      try hessians(at: problem.y) { try problem.value(aid, $0) })
    {
      #expect(relativeError(mixed, expected) < 1e-11)
    }
  }

  @Test("Full, truncated to all and checkpointed agree to second order in every mixture")
  func memories() throws {
    let problem = Contraction()
    let reference = problem.itd(23)
    let value = try problem.value(reference, problem.y)
    let slope = try gradient(at: problem.y) { try problem.value(reference, $0) }
    let second = try hessians(at: problem.y) { try problem.value(reference, $0) }
    for layer in [
      problem.itd(23, .last(23)), problem.itd(23, .last(100)),
      problem.itd(23, .all, .checkpointed()), problem.itd(23, .all, .checkpointed(segment: 1)),
      problem.itd(23, .all, .checkpointed(segment: 23)),
      problem.itd(23, .all, .checkpointed(segment: 5)),
    ] {
      #expect(try problem.value(layer, problem.y).isBitwiseEqual(to: value))
      let found = try gradient(at: problem.y) { try problem.value(layer, $0) }
      #expect(relativeError(found, slope) < 1e-14)
      for (mixed, expected) in zip(
        try hessians(at: problem.y) { try problem.value(layer, $0) }, second)
      {
        #expect(relativeError(mixed, expected) < 1e-13)
      }
    }
  }

  @Test(
    "Gradients of unrolled methods",
    arguments: [
      UnrolledUpdate.gradientDescent(step: 0.3), .heavyBall(step: 0.2, momentum: 0.5),
      .nesterov(step: 0.2, momentum: 0.5), .adam(learningRate: 0.1),
    ])
  func updates(_ update: UnrolledUpdate) throws {
    let inner = LogisticInner(seed: 40, rows: 12, columns: 3)
    for memory in [ITD<Tensor, Tensor>.Memory.full, .checkpointed(segment: 3)] {
      let layer = ITD(
        minimizing: { x, y in inner.objective(x, y) }, startingAt: Tensor([0.3, -0.2, 0.1]),
        update: update, steps: 7, memory: memory)
      try requireGradients(at: Tensor([0.4, -0.3, 0.2])) { y in try layer.solution(at: y).value }
    }
  }

  @Test(
    "Unrolled methods reach the minimum",
    arguments: [
      UnrolledUpdate.gradientDescent(step: 0.8), .heavyBall(step: 0.6, momentum: 0.5),
      .nesterov(step: 0.6, momentum: 0.5),
    ])
  func minimum(_ update: UnrolledUpdate) throws {
    let problem = ReferenceProblem.logisticLogistic
    let inner = try #require(problem.inner as? LogisticInner)
    let layer = ITD(
      minimizing: { x, y in inner.objective(x, y) }, startingAt: Tensor.zeros([5]), update: update,
      steps: 1500)
    let found = try layer.hypergradient(
      at: problem.y, errorEstimate: .newton, of: problem.loss)
    #expect(relativeError(found.inner, try problem.solution()) < 1e-12)
    #expect(relativeError(found.gradient, try problem.hypergradient()) < 1e-11)
  }

  @Test("Truncation is wrong by an amount that falls geometrically")
  func truncation() throws {
    let problem = Contraction()
    let exact = try gradient(at: problem.y) { try problem.value(problem.itd(400), $0) }
    var errors: [Double] = []
    for count in stride(from: 2, through: 20, by: 2) {
      let layer = problem.itd(400, .last(count))
      let found = try gradient(at: problem.y) { try problem.value(layer, $0) }
      errors.append(relativeError(found, exact))
    }
    let ratios = zip(errors.dropFirst(), errors).map { $0 / $1 }
    #expect(errors[0] > 1e-3)
    for ratio in ratios { #expect(ratio < 0.6) }
    // The rate of the map: the ratios settle.
    let last = ratios.suffix(3)
    #expect((last.max() ?? 1) - (last.min() ?? 0) < 0.1)
  }

  @Test("The error of a short run is estimated within 10 times", arguments: [3, 10, 30])
  func honestEstimate(steps: Int) throws {
    let problem = Contraction()
    let exact = try gradient(at: problem.y) { try problem.value(problem.aid, $0) }
    let found = try problem.itd(steps).hypergradient(
      at: problem.y, errorEstimate: .newton
    ) { x, _ in problem.loss(x) }
    let truth = relativeError(found.gradient, exact)
    let estimate = try #require(found.record.estimatedRelativeError)
    #expect((0.1...10).contains(estimate / truth), "\(estimate) for \(truth)")
    #expect(found.record.inner.iterations == steps)
  }

  @Test("No steps, a tolerance, sizes 0 and 1, float32")
  func limits() throws {
    let problem = Contraction()
    #expect(try problem.itd(0).solution(at: problem.y).value.scalars == [0, 0, 0, 0])
    var strict = problem.itd(3)
    strict.tolerance = 1e-6
    let failure = #expect(throws: SolverError.self) { try strict.solution(at: problem.y) }
    #expect(failure?.innerStatus?.outcome == .iterationLimit)
    #expect(failure?.innerStatus?.history.count == 2)
    strict = problem.itd(100)
    strict.tolerance = 1e-6
    #expect(try strict.solution(at: problem.y).status.isConverged)
    for memory in [ITD<Tensor, Tensor>.Memory.full, .checkpointed()] {
      for type in [ScalarType.float32, .float64] {
        for size in [0, 1, 3] {
          let layer = ITD(
            iterating: { (x: Tensor, y: Tensor) in 0.5 * x + y },
            startingAt: Tensor.zeros([size], type), steps: 40, memory: memory)
          let y = Tensor.ones([size], type)
          let slope = try gradient(at: y) { y in square(try layer.solution(at: y).value).sum() }
          #expect(slope.scalarType == type)
          #expect(slope.shape == [size])
          for element in slope.scalars { #expect(abs(element - 8) < 1e-5) }
        }
      }
    }
  }

  @Test("A checkpointed run that captures a differentiated tensor stops")
  func checkpointedCapture() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try gradient(at: Tensor(1.3)) { y in
        let layer = ITD<Tensor, Tensor>(
          iterating: { x, z in 0.5 * x + y * z }, startingAt: Tensor(0), steps: 4,
          memory: .checkpointed())
        return try layer.solution(at: y).value
      }
    }
    let text = errorText(result)
    #expect(text.contains("checkpointed") && text.contains("captures"), "\(text)")
  }

  @Test("A throwing map, a warm start")
  func errorsAndState() throws {
    struct Broken: Error {}
    let layer = ITD<Tensor, Tensor>(
      iterating: { x, y in
        if y.elementCount == 2 { throw Broken() }
        return 0.5 * x + y
      }, startingAt: Tensor([0]), steps: 2)
    let failure = #expect(throws: SolverError.self) {
      try gradient(at: Tensor([1, 2])) { y throws(SolverError) in
        try layer.solution(at: y).value.sum()
      }
    }
    guard case .function(let error) = failure, error is Broken else {
      Issue.record("\(String(describing: failure))")
      return
    }
    let state = WarmStart<Tensor>()
    let y = Tensor([1])
    let first = try layer.solution(at: y, warmStart: state).value.scalar
    let second = try layer.solution(at: y, warmStart: state).value.scalar
    #expect([first, second] == [1.5, 1.875])
    state.reset()
    #expect(try layer.solution(at: y, warmStart: state).value.scalar == 1.5)
  }

  @Test("ITD differentiates its initial point", arguments: [true, false])
  func learntStart(isReverse: Bool) throws {
    // x₃ = 0.9³ θ + (1 − 0.9³).
    let f = { (θ: Tensor) throws -> Tensor in
      let layer = ITD(
        minimizing: { (x: Tensor, t: Tensor) in 0.5 * square(x - t).sum() }, startingAt: θ,
        update: .gradientDescent(step: 0.1), steps: 3)
      return square(try layer.solution(at: Tensor(1)).value)
    }
    let shrinkage = 0.9 * 0.9 * 0.9
    let expected = 2 * (shrinkage * 3 + 1 - shrinkage) * shrinkage
    let found = try derivative(f, isReverse: isReverse)(Tensor(3)).scalar
    #expect(abs(found - expected) < 1e-14)
  }

  @Test("ITD differentiates a warm start that is traced")
  func warmStart() throws {
    let layer = ITD(
      minimizing: { (x: Tensor, t: Tensor) in 0.5 * square(x - t).sum() }, startingAt: Tensor(0),
      update: .gradientDescent(step: 0.1), steps: 2)
    let slope = try gradient(at: Tensor(3)) { θ in
      let state = WarmStart<Tensor>()
      state.inner = θ
      return try layer.solution(at: Tensor(1), warmStart: state).value
    }
    #expect(abs(slope.scalar - 0.81) < 1e-14)
  }

  @Test("Adam's first derivative is exact where a gradient is zero, in both modes")
  func adamAtZero() throws {
    let layer = ITD(
      minimizing: { (x: Tensor, t: Tensor) in 0.5 * square(x - t).sum() },
      startingAt: Tensor([1, 2]), update: .adam(learningRate: 1e-9), steps: 1)
    let f = { (t: Tensor) throws -> Tensor in try layer.solution(at: t).value.sum() }
    // x₁ = x₀ − rate g / (|g| + ε), and g = 0 in the first coordinate.
    let point = Tensor([1, 5])
    let slope = try gradient(at: point, of: f)
    let tangent = try jvp(at: point, along: Tensor([1, 0]), of: f).tangent
    #expect(abs(slope.scalars[0] - 1e-9 / 1e-8) < 1e-12)
    #expect(abs(tangent.scalar - slope.scalars[0]) < 1e-12)
  }
}

/// The Hessian of a function in all four mixtures of modes.
func hessians(
  at x: Tensor, of f: @escaping (Tensor) throws -> Tensor
) throws -> [Tensor] {
  try [JacobianMode.forward, .reverse].flatMap { outer in
    [
      try jacobian(at: x, mode: outer) { x in try gradient(at: x, unused: .zero, of: f) },
      try jacobian(at: x, mode: outer) { x in
        try jacobian(at: x, mode: .forward) { x in try f(x).reshaped(to: [1]) }[0]
      },
    ]
  }
}
