import Autodiff
import Bilevel
import Solvers
import TestSupport
import Synchronization
import Testing

/// Warm starts, errors of the user's closures, failed solves.
@Suite("AID, state and errors")
struct AIDStateTests {
  private struct Broken: Error {}

  private let problem = ReferenceProblem.logisticLogistic
  /// Large enough for conjugate gradients to take some iterations.
  private let large = {
    let inner = LogisticInner(seed: 80, rows: 80, columns: 30)
    return ReferenceProblem("large", inner, LogisticOuter(inner, seed: 81))
  }()

  private func layer(
    _ problem: ReferenceProblem, adjoint: any LinearSolver = ConjugateGradient(tolerance: 1e-12)
  ) throws -> AID<Tensor, Tensor> {
    let inner = try #require(problem.inner as? LogisticInner)
    return AID(
      minimizing: { x, y in inner.objective(x, y) }, startingAt: Tensor.zeros([inner.n]),
      solver: GradientDescent(
        step: .fixed(0.3),
        stopping: StoppingRule(relative: 1e-10, maximumIterations: 100_000)),
      adjoint: adjoint)
  }

  // MARK: - Warm starts

  @Test("A warm start makes solves cheaper and gives the same answer; a reset undoes it")
  func warmStart() throws {
    let layer = try layer(large)
    let state = WarmStart<Tensor>()
    let (y, near) = (large.y, large.y + 1e-4)
    func run(_ y: Tensor, _ state: WarmStart<Tensor>?) throws -> (Tensor, inner: Int, adjoint: Int)
    {
      var record: TrustRecord?
      let slope = try gradient(at: y) { y in
        let solution = try layer.solution(at: y, warmStart: state)
        record = solution.record
        return try large.loss(solution.value, y)
      }
      let kept = try #require(record)
      return (slope, kept.inner.iterations, kept.linearSolves[0].iterations)
    }
    let first = try run(y, state)
    let cold = try run(near, nil)
    let warm = try run(near, state)
    #expect(warm.inner * 2 < cold.inner * 3 && warm.inner < cold.inner)
    #expect(warm.adjoint < cold.adjoint)
    #expect(relativeError(warm.0, cold.0) < 1e-8)
    let again = try run(near, state)
    #expect(again.inner == 0)
    #expect(again.adjoint == 0)
    state.reset()
    #expect(state.inner == nil && state.adjoint == nil)
    let fresh = try run(y, state)
    #expect(fresh.inner == first.inner && fresh.adjoint == first.adjoint)
    #expect(fresh.0.isBitwiseEqual(to: first.0))
  }

  @Test("A warm start may be saved and set; it takes no part in the derivative")
  func savedState() throws {
    let layer = try layer(problem)
    let y = problem.y
    let slope = try gradient(at: y) { y in
      let state = WarmStart<Tensor>()
      // Traced, but where a solve starts is no part of its solution.
      state.inner = y * 0.1
      return try problem.loss(try layer.solution(at: y, warmStart: state).value, y)
    }
    #expect(relativeError(slope, try problem.hypergradient()) < 1e-8)
  }

  @Test("An outer loop of hypergradients keeps its state")
  func outerLoop() throws {
    let layer = try layer(problem)
    let state = WarmStart<Tensor>()
    var (y, iterations, values) = (problem.y, [Int](), [Double]())
    for _ in 0..<10 {
      let found = try layer.hypergradient(
        at: y, estimator: .preconditioned(ConjugateGradientStep(iterations: 3)), warmStart: state,
        of: problem.loss)
      iterations.append(found.record.inner.iterations)
      values.append(found.value.scalar)
      y = y - found.gradient
    }
    for (value, next) in zip(values, values.dropFirst()) { #expect(next < value) }
    #expect((iterations.last ?? 0) < iterations[0])
  }

  @Test("The adjoint tolerance matches the solution, also after a correction")
  func matchedTolerance() throws {
    let inner = try #require(problem.inner as? LogisticInner)
    var layer = AID(
      minimizing: { x, y in inner.objective(x, y) }, startingAt: Tensor.zeros([5]),
      solver: LBFGS(stopping: StoppingRule(relative: 1e-3)))
    for correction in [nil, NewtonStep()] as [NewtonStep?] {
      layer.correction = correction
      var record: TrustRecord?
      _ = try gradient(at: problem.y) { y in
        let solution = try layer.solution(at: y)
        record = solution.record
        return try problem.loss(solution.value, y)
      }
      let kept = try #require(record)
      let adjoint = kept.linearSolves[0]
      let matched = max(1e-11, kept.inner.relativeResidual)
      #expect(abs(adjoint.threshold / adjoint.scale - matched) <= 1e-12 * matched)
      #expect(kept.inner.relativeResidual < (correction == nil ? 1e-3 : 1e-5))
    }
  }

  // MARK: - Errors

  @Test("What the user's closures throw comes out as it is")
  func userErrors() throws {
    let y = Tensor([1, 2])
    let broken: [(String, AID<Tensor, Tensor>)] = [
      (
        "objective",
        AID(
          minimizing: { _, _ in throw Broken() }, startingAt: Tensor([0, 0]), solver: LBFGS())
      ),
      (
        "root",
        AID(root: { _, _ in throw Broken() }, startingAt: Tensor([0, 0]), solver: NoSolver())
          .solved { _, y in y }
      ),
      (
        "solver",
        AID(root: { x, y in x - y }, startingAt: Tensor([0, 0]), solver: NoSolver())
          .solved { _, _ in throw Broken() }
      ),
    ]
    for (name, layer) in broken {
      let failures = [
        #expect(throws: SolverError.self) { try layer.solution(at: y) },
        #expect(throws: SolverError.self) {
          try gradient(at: y) { y throws(SolverError) in
            try layer.solution(at: y).value.sum()
          }
        },
        #expect(throws: SolverError.self) {
          try layer.hypergradient(at: y) { x, _ in x.sum() }
        },
      ]
      for failure in failures {
        guard case .function(let error) = failure, error is Broken else {
          Issue.record("\(name): \(String(describing: failure))")
          continue
        }
      }
    }
    let fine = AID(root: { (x: Tensor, y: Tensor) in x - y }, startingAt: y, solver: NoSolver())
      .solved { _, y in y }
    let failure = #expect(throws: SolverError.self) {
      try fine.hypergradient(at: y) { _, _ in throw Broken() }
    }
    guard case .function(let error) = failure, error is Broken else {
      Issue.record("\(String(describing: failure))")
      return
    }
  }

  @Test("A residual that throws only while the pullback runs is thrown by the gradient")
  func throwingPullback() throws {
    let isBroken = Mutex(false)
    let layer = AID(
      root: { (x: Tensor, y: Tensor) in
        if isBroken.withLock({ $0 }) { throw Broken() }
        return x * x * x + x - y
      }, startingAt: Tensor(0), solver: NoSolver()
    ).solved(tolerance: StoppingRule(relative: 1e-12)) { _, y in Tensor(cubicRoot(y.scalar)) }
    #expect(throws: SolverError.self) {
      try gradient(at: Tensor(1.3)) { y in
        let x = try layer.solution(at: y).value
        isBroken.withLock { $0 = true }
        return x
      }
    }
    isBroken.withLock { $0 = false }
    let slope = try gradient(at: Tensor(1.3)) { try layer.solution(at: $0).value }
    #expect(abs(slope.scalar - cubicRootDerivatives(1.3)[1]) < 1e-14)
  }

  @Test("After an exception inside, derivatives in progress and later ones are right")
  func afterException() throws {
    let good = problem.layer()
    let bad = good.solved { _, _ in throw Broken() }
    let expected = try problem.hypergradient()
    let slope = try gradient(at: problem.y) { y in
      let failed = try? bad.solution(at: y)
      #expect(failed == nil)
      let nested = try? gradient(at: y) { try bad.solution(at: $0).value.sum() }
      #expect(nested == nil)
      return try problem.loss(try good.solution(at: y).value, y)
    }
    #expect(relativeError(slope, expected) < 1e-12)
    let square = gradient(at: Tensor(3)) { $0 * $0 }
    #expect(square.scalar == 6)
  }

  @Test("A user's solver that did not converge throws with its residuals")
  func unconvergedUserSolver() throws {
    let layer = problem.layer().solved(tolerance: StoppingRule(relative: 1e-8)) { _, y in
      1.01 * (try problem.inner.solution(y))
    }
    let failure = #expect(throws: SolverError.self) { try layer.solution(at: problem.y) }
    let status = try #require(failure?.innerStatus)
    #expect(status.outcome == .inaccurate)
    #expect(status.history.count == 2)
    let zero = Tensor.zeros([5])
    let start = problem.inner.f(zero, problem.y).norm().scalar
    #expect(abs(status.history[0] - start) <= 1e-14 * start)
    #expect(status.residual > 1e-4 * status.scale)
    let text = failure?.description ?? ""
    for part in ["the user's solver: not accurate enough", "residuals: ", "likely cause: "] {
      #expect(text.contains(part), "\(text)")
    }
    let notFinite = layer.solved { _, y in Tensor(repeating: .nan, shape: [5]) }
    let second = #expect(throws: SolverError.self) { try notFinite.solution(at: problem.y) }
    #expect(second?.innerStatus?.outcome == .notFinite)
  }

  @Test("The record fills as derivatives are taken, and prints")
  func record() throws {
    let layer = problem.layer()
    var record: TrustRecord?
    _ = try gradient(at: problem.y) { y in
      let solution = try layer.solution(at: y)
      #expect(solution.record.linearSolves.isEmpty)
      record = solution.record
      return try problem.loss(solution.value, y)
    }
    let filled = try #require(record)
    #expect(filled.linearSolves.count == 1)
    #expect(filled.isConverged)
    #expect(filled.linearSolves[0].method == "DenseLU")
    #expect(filled.description.contains("adjoint:  DenseLU: converged"))
  }

  @Test("A warm start does not spoil a problem whose initial point is the solution")
  func warmStartAtSolution() throws {
    let layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in
        0.5 * square(x).sum() + 0.1 * square(square(x)).sum() - (x * y).sum()
      }, startingAt: Tensor.zeros([3]), solver: LBFGS())
    let state = WarmStart<Tensor>()
    for y in [1.0, 0.5, 0] {
      let solution = try layer.solution(
        at: y * Tensor([1, 2, -1]), warmStart: state)
      #expect(solution.status.isConverged)
      if y == 0 { #expect(solution.value.scalars == [0, 0, 0]) }
    }
  }
}
