import Autodiff
import Bilevel
import Foundation
import Solvers
import TestSupport
import Testing

/// What has no derivative stops the program where one would be needed, and says what to do.
@Suite("AID, refusals")
struct AIDRefusalTests {
  private static func layer() -> AID<Tensor, Tensor> {
    AID(
      root: { (x: Tensor, y: Tensor) in x * x * x + x - y }, startingAt: Tensor(0),
      solver: NoSolver()
    )
    .solved { _, y in Tensor(cubicRoot(y.scalar)) }
  }

  private static func solved(_ y: Tensor) throws -> (Solution<Tensor>, auxiliary: Tensor) {
    let (solution, auxiliary) = try layer().solution(at: y) { _, y in
      let root = cubicRoot(y.scalar)
      return (Tensor(root), Tensor(3 * root * root + 1))
    }
    return (solution, auxiliary)
  }

  private func expect(_ result: ExitTest.Result?, _ parts: String...) {
    let text = errorText(result)
    for part in parts { #expect(text.contains(part), "“\(part)” is not in: \(text)") }
  }

  @Test("An auxiliary output is a value outside a transform, and a constant where that is said")
  func auxiliary() throws {
    let (solution, auxiliary) = try Self.solved(Tensor(1.3))
    let root = cubicRoot(1.3)
    #expect(solution.value.scalar == root)
    #expect(auxiliary.scalar == 3 * root * root + 1)
    let slope = try gradient(at: Tensor(1.3)) { y in
      let (solution, auxiliary) = try Self.solved(y)
      return solution.value * stopGradient(auxiliary)
    }
    // The derivative of the root is the reciprocal of the auxiliary output.
    #expect(abs(slope.scalar - 1) < 1e-14)
    let tangent = try jvp(at: Tensor(1.3), along: Tensor(2)) { y in
      let (solution, auxiliary) = try Self.solved(y)
      return solution.value * stopGradient(auxiliary)
    }.tangent
    #expect(abs(tangent.scalar - 2) < 1e-14)
  }

  @Test("An auxiliary output used in a gradient stops")
  func auxiliaryReverse() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try gradient(at: Tensor(1.3)) { y in
        let (solution, auxiliary) = try Self.solved(y)
        return solution.value * auxiliary
      }
    }
    expect(
      result, "an auxiliary output of AID is used where its derivative would be needed",
      "Use stopGradient(auxiliary) if a constant is meant")
  }

  @Test("An auxiliary output used in forward mode stops")
  func auxiliaryForward() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try jvp(at: Tensor(1.3), along: Tensor(1)) { y in
        let (solution, auxiliary) = try Self.solved(y)
        return solution.value * auxiliary
      }
    }
    expect(result, "an auxiliary output of AID is used where its derivative would be needed")
  }

  @Test("An auxiliary output stops also where a captured tensor is differentiated")
  func auxiliaryOfCapture() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try gradient(at: Tensor(1.3)) { y in
        let layer = AID<Tensor, Tensor>(
          root: { x, one in one * (x * x * x + x) - y }, startingAt: Tensor(0), solver: NoSolver())
        let (solution, auxiliary) = try layer.solution(at: Tensor(1)) { _, _ in
          (Tensor(cubicRoot(1.3)), Tensor(2))
        }
        return solution.value * auxiliary
      }
    }
    expect(result, "an auxiliary output of AID")
  }

  @Test("A hypergradient used where its derivative would be needed stops")
  func hypergradient() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try gradient(at: Tensor(1.3)) { y in
        let found = try Self.layer().hypergradient(at: y) { x, y in x * y }
        return found.gradient * y
      }
    }
    expect(
      result, "an estimate of a bilevel layer is used where its derivative would be needed",
      "Differentiate a closure that calls solution(at:)")
  }

  @Test("Its value stops too")
  func hypergradientValue() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try gradient(at: Tensor(1.3)) { y in
        try Self.layer().hypergradient(at: y) { x, y in x * y }.value * y
      }
    }
    expect(result, "an estimate of a bilevel layer")
  }

  @Test("Its point stops too")
  func hypergradientPoint() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try gradient(at: Tensor(1.3)) { y in
        try Self.layer().hypergradient(at: y) { x, y in x * y }.inner * y
      }
    }
    expect(result, "an estimate of a bilevel layer")
  }

  @Test("As a constant it may be used, and its value is right inside a transform")
  func hypergradientAsConstant() throws {
    let d = cubicRootDerivatives(1.3)
    let slope = try gradient(at: Tensor(1.3)) { y in
      let found = try Self.layer().hypergradient(at: y) { x, y in x * y }
      return stopGradient(found.gradient) * y
    }
    #expect(abs(slope.scalar - (d[0] + 1.3 * d[1])) < 1e-13)
  }

  @Test("A solver function of another structure stops with both shapes")
  func structure() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let layer = Self.layer().solved { _, _ in Tensor([1, 2]) }
      _ = try layer.solution(at: Tensor(1.3))
    }
    expect(result, "AID: the result of the solver function is [2] float64, expected [] float64")
  }

  private static func quadratic() -> AID<Tensor, Tensor> {
    AID(
      minimizing: { x, y in (0.5 * y * x * x - x).sum() }, startingAt: Tensor([0.1]),
      solver: NewtonCG())
  }

  private static let refusal =
    "an estimate of a bilevel layer is used where its derivative would be needed"

  @Test("So does the hypergradient at a point that is differentiated, in forward mode")
  func givenPoint() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try jvp(at: Tensor([0.4]), along: Tensor([1])) { x in
        let found = try Self.quadratic().hypergradient(at: Tensor([2]), evaluatedAt: x) { x, _ in
          square(x).sum()
        }
        return x * found.gradient
      }
    }
    expect(result, Self.refusal)
  }

  @Test("So does a penalty hypergradient")
  func penalty() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try gradient(at: Tensor([2])) { y in
        let found = try Self.quadratic().penaltyHypergradient(
          at: y, .valueFunction(strength: 100)
        ) { x, _ in square(x).sum() }
        return (y * found.gradient).sum()
      }
    }
    expect(result, Self.refusal)
  }

  @Test("So does the efficiency constant, a number")
  func constant() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try gradient(at: Tensor([2])) { y in
        let constant = try Self.quadratic().efficiencyConstant(
          at: y, evaluatedAt: stopGradient(1 / y), estimator: .plain
        ) { x, _ in square(x).sum() }
        return y.sum() * constant
      }
    }
    expect(result, "AID.efficiencyConstant: a transform is running")
  }

  @Test("So does an auxiliary output that depends on a tensor through the solver alone")
  func capturedAuxiliary() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try gradient(at: Tensor([3])) { c in
        let (solution, auxiliary) = try Self.quadratic().solution(at: Tensor([2])) { _, y in
          (1 / y, c * y)
        }
        return (c * solution.value + auxiliary).sum()
      }
    }
    expect(result, "an auxiliary output of AID")
  }

  @Test("A penalised problem cannot be solved by the function that solves the inner one")
  func penaltyBySolverFunction() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try Self.quadratic().solved { _, y in 1 / y }.penaltyHypergradient(
        at: Tensor([2]), .gradient(strength: 100)
      ) { x, _ in square(x).sum() }
    }
    expect(result, "which solves the inner problem and not the penalised one")
  }

  @Test("An estimate on another thread stops where it captures what is differentiated on this one")
  func otherThread() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = gradient(at: Tensor([1.5])) { c in
        let layer = AID<Tensor, Tensor>(
          minimizing: { x, y in (0.5 * square(x) * exp(y) - c * x).sum() }, startingAt: Tensor([0]),
          solver: NewtonCG())
        nonisolated(unsafe) var found = c
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
          let estimate = try? layer.hypergradient(at: Tensor([0.2])) { x, _ in square(x).sum() }
          if let estimate { found = estimate.gradient }
          done.signal()
        }
        done.wait()
        return (found + 0 * c).sum()
      }
    }
    expect(result, "a tensor is used on another thread than the one that differentiates it")
  }

  @Test("A pseudo-gradient whose Jacobian is not symmetric is transposed, or refused")
  func pseudoGradient() throws {
    let a = Tensor(rows: [[3, 1], [-1, 2]])
    let phi = CustomDerivative<Tensor, Tensor, Never>(
      name: "phi", evaluate: { x in 0.5 * dot(x, matmul(a, x)) },
      vjp: { x, _, cotangent in cotangent * matmul(a, x) })
    func layer(_ adjoint: any LinearSolver) -> AID<Tensor, Tensor> {
      AID(
        minimizing: { x, y in phi(x) - dot(x, y * y) }, startingAt: Tensor([0, 0]),
        solver: GradientDescent(step: .fixed(0.2), iterations: 400), adjoint: adjoint
      ).solved { _, y in
        try solve(a, square(y).reshaped(to: [2, 1])).reshaped(to: [2])
      }
    }
    // A x = y²: the gradient of x₁ + 2 x₂ is 2 y ∘ A⁻ᵀ (1, 2).
    let y = Tensor([0.7, 1.3])
    let weights = Tensor([1, 2])
    let adjoint = try solve(a.transposed(), weights.reshaped(to: [2, 1])).reshaped(to: [2])
    let expected = 2 * y * adjoint
    for solver in [GMRES(tolerance: 1e-13), BiCGStab(tolerance: 1e-13)] as [any LinearSolver] {
      let slope = try gradient(at: y) { dot(weights, try layer(solver).solution(at: $0).value) }
      #expect((slope - expected).norm().scalar < 1e-12)
    }
    #expect(throws: SolverError.self) {
      try gradient(at: y) { dot(weights, try layer(ConjugateGradient()).solution(at: $0).value) }
    }
  }

  @Test(
    "An inner tensor that nothing depends on is refused in both modes", arguments: [true, false])
  func idleTensor(isReverse: Bool) {
    let layer = AID(
      minimizing: { (x: [String: Tensor], y: Tensor) in
        square((x["used"] ?? y) - y).sum()
      }, startingAt: ["used": Tensor([1]), "idle": Tensor([1])], solver: LBFGS())
    let f = { (y: Tensor) throws -> Tensor in
      (try layer.solution(at: y).value["used"] ?? y).sum()
    }
    let error = #expect(throws: SolverError.self) {
      try derivative(f, isReverse: isReverse)(Tensor([2]))
    }
    #expect(error?.description.contains("idle (100 %)") == true, "\(String(describing: error))")
  }
}
