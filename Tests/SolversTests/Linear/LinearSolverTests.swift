import Autodiff
import Solvers
import TestSupport
import Testing

/// What every linear solver promises, whichever it is.
@Suite("Linear solvers")
struct LinearSolverTests {
  private static let size = 40

  @Test("The solution is the one of dense elimination", arguments: SystemCase.all)
  func solution(_ system: SystemCase) throws {
    let matrix = system.kind.matrix(Self.size, system.type)
    let b = randomVector(Self.size, system.type)
    let tolerance = system.type == .float64 ? 1e-11 : 2e-6
    let a = opaqueOperator(matrix)
    let result = try system.solver.solver.solution(
      a, b, transposed: system.transposed, to: tolerance)

    #expect(result.status.outcome == .converged)
    #expect(result.value.scalarType == system.type)
    #expect(result.status.evaluations == a.productCount)
    #expect(abs(result.status.scale - length(b)) <= 4 * system.type.ulpOfOne * length(b))
    // ‖x − x*‖ ≤ ‖A⁻¹‖ ‖r‖, and ‖b‖ ≤ ‖A‖ ‖x*‖: the condition number is at most 1e4 and 1e2.
    let double = matrix.cast(to: .float64)
    let reference = try solve(
      system.transposed ? double.transposed() : double, b.cast(to: .float64))
    let condition = system.kind == .illConditioned ? (system.type == .float64 ? 1e4 : 1e2) : 10
    #expect(relativeError(result.value, reference) <= condition * tolerance)
  }

  @Test("The reported residual is b − A x recomputed", arguments: SystemCase.all)
  func reportedResidual(_ system: SystemCase) throws {
    let matrix = system.kind.matrix(Self.size, system.type)
    let b = randomVector(Self.size, system.type)
    let result = try system.solver.solver.solution(
      opaqueOperator(matrix), b, transposed: system.transposed,
      to: system.type == .float64 ? 1e-8 : 1e-4)
    let recomputed = residualNorm(matrix, result.value, b, transposed: system.transposed)
    // The rounding of the residual itself: ulp ‖A‖ ‖x‖, in the Frobenius norm.
    let rounding = 4 * system.type.ulpOfOne * length(matrix.flattened()) * length(result.value)
    #expect(abs(result.status.residual - recomputed) <= rounding)
    #expect(recomputed <= result.status.threshold + rounding)
    #expect(result.status.iterations >= 1)
  }

  @Test("A start at the solution ends at once, a near one early", arguments: SolverCase.iterative)
  func warmStart(_ solverCase: SolverCase) throws {
    let kind = solverCase.kinds[0]
    let matrix = kind.matrix(Self.size, .float64)
    let expected = randomVector(Self.size, seed: 3)
    let b = matmul(matrix, expected)
    let solver = solverCase.solver
    let cold = try solver.solution(opaqueOperator(matrix), b)

    let exact = try solver.solution(opaqueOperator(matrix), b, from: expected)
    #expect(exact.status.outcome == .converged)
    #expect(exact.status.iterations == 0)
    #expect(exact.value.isBitwiseEqual(to: expected))

    let near = expected + 1e-6 * randomVector(Self.size, seed: 4)
    let warm = try solver.solution(opaqueOperator(matrix), b, from: near)
    #expect(warm.status.outcome == .converged)
    #expect(warm.status.iterations < cold.status.iterations)
    #expect(relativeError(warm.value, expected) <= 1e-8)
  }

  @Test("A start worse than zero is not used", arguments: SolverCase.iterative)
  func badStart(_ solverCase: SolverCase) throws {
    let matrix = solverCase.kinds[0].matrix(Self.size, .float64)
    let b = randomVector(Self.size)
    for value in [1e8, Double.nan] {
      let start = Tensor(repeating: value, shape: [Self.size])
      let result = try solverCase.solver.solution(opaqueOperator(matrix), b, from: start)
      let cold = try solverCase.solver.solution(opaqueOperator(matrix), b)
      #expect(result.value.isBitwiseEqual(to: cold.value))
      #expect(result.status.history == cold.status.history)
    }
  }

  @Test(
    "A right-hand side of zero has the solution zero, without a product", arguments: SolverCase.all)
  func zeroRightHandSide(_ solverCase: SolverCase) throws {
    let a = opaqueOperator(solverCase.kinds[0].matrix(6, .float64))
    let result = try solverCase.solver.solution(
      a, .zeros([6]), from: .ones([6]))
    #expect(result.status.outcome == .converged)
    #expect(result.status.iterations == 0)
    #expect(result.status.residual == 0)
    #expect(result.value.scalars == [Double](repeating: 0, count: 6))
    #expect(a.productCount == 0)
  }

  @Test("Sizes 0 and 1", arguments: SolverCase.all, [ScalarType.float64, .float32])
  func smallSizes(_ solverCase: SolverCase, _ type: ScalarType) throws {
    let empty = LinearOperator(
      size: 0, scalarType: type, product: { $0 }, transposedProduct: { $0 })
    let nothing = try solverCase.solver.solution(empty, .zeros([0], type))
    #expect(nothing.status.outcome == .converged)
    #expect(nothing.value.elementCount == 0)

    let single = opaqueOperator(Tensor(rows: [[4]]).cast(to: type))
    let one = try solverCase.solver.solution(single, Tensor([6]).cast(to: type), to: 1e-6)
    #expect(one.status.outcome == .converged)
    #expect(abs(one.value.scalar - 1.5) <= 1.5e-6)
  }

  @Test("A multiple of the identity takes one iteration", arguments: SolverCase.all)
  func multipleOfIdentity(_ solverCase: SolverCase) throws {
    // The solver that returned the iterate before its last update gave zero here.
    let a = opaqueOperator(3 * Tensor.identity(8))
    let b = randomVector(8)
    let solver: any LinearSolver =
      solverCase.name == "Neumann" ? Neumann(step: 1.0 / 3) : solverCase.solver
    let result = try solver.solution(a, b, to: 1e-14)
    #expect(result.status.outcome == .converged)
    #expect(result.status.iterations == 1)
    #expect(relativeError(result.value, b / Tensor(3)) <= 1e-15)
  }

  @Test("Scaling the system scales the solution", arguments: SolverCase.all)
  func scaling(_ solverCase: SolverCase) throws {
    // Powers of two change no digit. The step of a Neumann series has the scale of 1 / A.
    let matrix = solverCase.kinds[0].matrix(Self.size, .float64)
    let b = randomVector(Self.size)
    let isNeumann = solverCase.name == "Neumann"
    let reference = try solverCase.solver.solution(opaqueOperator(matrix), b)
    for scale in [0.5, 1024] {
      let solver: any LinearSolver = isNeumann ? Neumann(step: 0.15 / scale) : solverCase.solver
      let scaledMatrix = try solver.solution(opaqueOperator(scale * matrix), b)
      #expect(relativeError(scale * scaledMatrix.value, reference.value) <= 1e-9)
      #expect(scaledMatrix.status.iterations == reference.status.iterations)
      let scaledVector = try solverCase.solver.solution(opaqueOperator(matrix), scale * b)
      #expect(relativeError((1 / scale) * scaledVector.value, reference.value) <= 1e-9)
      #expect(scaledVector.status.iterations == reference.status.iterations)
    }
  }

  @Test("The iteration limit is kept, and the best iterate returned", arguments: [1, 3, 7])
  func iterationLimit(_ limit: Int) throws {
    let definite = MatrixKind.definite.matrix(Self.size, .float64)
    let solvers: [any LinearSolver] = [
      ConjugateGradient(maximumIterations: limit), MINRES(maximumIterations: limit),
      GMRES(maximumIterations: limit), BiCGStab(maximumIterations: limit),
      NormalConjugateGradient(maximumIterations: limit),
      Neumann(maximumIterations: limit, step: 0.15),
      ConjugateGradient(
        maximumIterations: limit, preconditioner: NystromPreconditioner(rank: 3)),
    ]
    let b = randomVector(Self.size)
    for solver in solvers {
      let result = try solver.solution(opaqueOperator(definite), b)
      #expect(result.status.outcome == .iterationLimit)
      #expect(result.status.iterations == limit)
      let recomputed = residualNorm(definite, result.value, b)
      #expect(recomputed < length(b))
      #expect(abs(recomputed - result.status.residual) <= 1e-13 * length(b))
    }
  }

  @Test("What is not finite is reported", arguments: SolverCase.all)
  func notFinite(_ solverCase: SolverCase) throws {
    let good = opaqueOperator(solverCase.kinds[0].matrix(5, .float64))
    let badVector = try solverCase.solver.solution(good, Tensor([1, .nan, 0, 0, 0]))
    #expect(badVector.status.outcome == .notFinite)
    let bad = LinearOperator(
      size: 5, scalarType: .float64, product: { $0 * Double.infinity },
      transposedProduct: { $0 * Double.infinity })
    let badMatrix = try solverCase.solver.solution(bad, .ones([5]))
    #expect(badMatrix.status.outcome == .notFinite)
    #expect(badMatrix.value.isFinite)
  }

  @Test(
    "A tolerance below working precision is stalled, at working precision",
    arguments: SolverCase.all)
  func stalled(_ solverCase: SolverCase) throws {
    let matrix = solverCase.kinds[0].matrix(Self.size, .float64)
    let b = randomVector(Self.size)
    let result = try solverCase.solver.solution(opaqueOperator(matrix), b, to: 1e-30)
    #expect(result.status.outcome == .stalled)
    #expect(residualNorm(matrix, result.value, b) <= 1e-14 * length(b))
  }

  @Test("An error of the operator is passed on")
  func throwingOperator() throws {
    struct Failure: Error {}
    for solverCase in SolverCase.all {
      let a = LinearOperator(
        size: 3, scalarType: .float64,
        product: { _ throws(SolverError) in throw .function(Failure()) },
        transposedProduct: { _ throws(SolverError) in throw .function(Failure()) })
      #expect(throws: SolverError.self) { try solverCase.solver.solution(a, .ones([3])) }
    }
  }

  @Test("A solver keeps the tolerance it was made with, and else takes that of the system")
  func toleranceOfItsOwn() throws {
    let matrix = MatrixKind.illConditioned.matrix(60, .float64)
    let b = randomVector(60)
    func residual(_ solver: any LinearSolver, asking tolerance: Double) throws -> Double {
      let system = LinearSystem(opaqueOperator(matrix), b, tolerance: tolerance)
      return try solver.solve(system).status.relativeResidual
    }
    let strict: [any LinearSolver] = [
      MINRES(tolerance: 1e-12), ConjugateGradient(tolerance: 1e-12), GMRES(tolerance: 1e-12),
    ]
    for solver in strict { #expect(try residual(solver, asking: 1e-3) <= 1e-12) }
    let loose = try residual(MINRES(), asking: 1e-3)
    #expect(loose <= 1e-3 && loose > 1e-8)
    #expect(try residual(MINRES(tolerance: 1e-2), asking: 1e-12) > 1e-8)
  }

  @Test("What is prepared for an operator is kept by type and settings")
  func preparations() throws {
    let a = opaqueOperator(.identity(3))
    let first = try a.prepared(PreparationKey<Int>("a", 1)) { 1 }
    let again = try a.prepared(PreparationKey<Int>("a", 1)) { 2 }
    let other = try a.prepared(PreparationKey<Int>("a", 2)) { 3 }
    let text = try a.prepared(PreparationKey<String>("a", 1)) { "four" }
    #expect((first, again, other) == (1, 1, 3))
    #expect(text == "four")
    // Also where the value is optional.
    #expect(try a.prepared(PreparationKey<Int?>("b")) { 5 } == 5)
  }
}
