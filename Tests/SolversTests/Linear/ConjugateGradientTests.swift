import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Conjugate gradients")
struct ConjugateGradientTests {
  @Test("n iterations solve an n × n system")
  func finiteTermination() throws {
    // A direction built from the residual of the iteration before gave an error of 1.2 here.
    let matrix = symmetricMatrix(.linearSpace(from: 1, to: 10, count: 10))
    let expected = randomVector(10, seed: 2)
    let solver = ConjugateGradient(maximumIterations: 10)
    let result = try solver.solution(opaqueOperator(matrix), matmul(matrix, expected), to: 1e-14)
    #expect(result.status.iterations <= 10)
    #expect(relativeError(result.value, expected) <= 1e-13)
  }

  @Test("The number of iterations is the number of distinct eigenvalues", arguments: [1, 2, 5])
  func distinctEigenvalues(_ count: Int) throws {
    let eigenvalues = Tensor((0..<60).map { Double(1 + $0 % count) })
    let result = try ConjugateGradient().solution(
      opaqueOperator(symmetricMatrix(eigenvalues)), randomVector(60), to: 1e-12)
    #expect(result.status.isConverged)
    #expect(result.status.iterations == count)
  }

  @Test("The error falls at least as fast as theory says", arguments: [10.0, 100, 1000])
  func convergenceRate(_ condition: Double) throws {
    let n = 200
    let eigenvalues = Tensor.linearSpace(from: 1, to: condition, count: n)
    let matrix = symmetricMatrix(eigenvalues)
    let expected = randomVector(n, seed: 2)
    let b = matmul(matrix, expected)
    func energyNorm(_ e: Tensor) -> Double { dot(e, matmul(matrix, e)).scalar.squareRoot() }
    let first = energyNorm(expected)
    let rate = (condition.squareRoot() - 1) / (condition.squareRoot() + 1)
    var bound = 2.0
    var hasMoved = false
    for iteration in 1...60 {
      bound *= rate
      if bound < 1e-10 { break }
      let solver = ConjugateGradient(maximumIterations: iteration)
      let result = try solver.solution(opaqueOperator(matrix), b, to: 1e-14)
      // The best iterate has the least residual, which need not be the last one.
      let error = energyNorm(result.value - expected) / first
      if result.status.residual == result.status.history.min() { #expect(error <= bound) }
      hasMoved = hasMoved || error < 1e-3
    }
    #expect(hasMoved || condition == 1000)
  }

  @Test("A direction of negative curvature is reported with its part")
  func indefinite() throws {
    // Saddle in the second of three parts.
    var diagonal = [Double](repeating: 2, count: 12)
    diagonal[6] = -3
    let blocks = [
      VectorBlock(name: "weights", range: 0..<5), VectorBlock(name: "scale", range: 5..<8),
      VectorBlock(name: "bias", range: 8..<12),
    ]
    let a = opaqueOperator(Tensor(diagonal).embeddedDiagonal(), blocks: blocks)
    var b = [Double](repeating: 0.1, count: 12)
    b[6] = 1
    let result = try ConjugateGradient().solution(a, Tensor(b))
    guard case .indefinite(let curvature, let shares) = result.status.outcome else {
      Issue.record("expected indefiniteness, found \(result.status)")
      return
    }
    #expect(shares.first?.name == "scale")
    let leading = shares.first?.share ?? 0
    #expect(leading > 0.8 && leading <= 1)
    #expect(curvature < 0 && curvature >= -3)
    #expect(result.status.residual <= length(Tensor(b)))
  }

  @Test("Before it meets negative curvature the method makes progress, which is kept")
  func indefiniteAfterProgress() throws {
    // The right-hand side hardly sees the negative eigenvalue.
    var diagonal = (0..<20).map { 1 + Double($0) }
    diagonal[0] = -1e-3
    var b = [Double](repeating: 1, count: 20)
    b[0] = 1e-4
    let result = try ConjugateGradient().solution(
      opaqueOperator(Tensor(diagonal).embeddedDiagonal()), Tensor(b))
    guard case .indefinite = result.status.outcome else {
      Issue.record("expected indefiniteness, found \(result.status)")
      return
    }
    #expect(result.status.relativeResidual < 1e-2)
  }

  @Test("Jacobi's preconditioner removes a bad scaling of the variables")
  func jacobi() throws {
    let n = 80
    let core = symmetricMatrix(.linearSpace(from: 1, to: 3, count: n))
    let scales = exp(Tensor.linearSpace(from: 0, to: 6, count: n))
    let matrix = core * scales * scales.expandingShape(at: 1)
    let b = randomVector(n)
    let plain = try ConjugateGradient().solution(opaqueOperator(matrix), b, to: 1e-9)
    let choices: [any Preconditioner] = [
      JacobiPreconditioner(diagonal: matrix.diagonal()), JacobiPreconditioner(products: n),
    ]
    let reference = try solve(matrix, b)
    for preconditioner in choices {
      let solver = ConjugateGradient(preconditioner: preconditioner)
      let result = try solver.solution(opaqueOperator(matrix), b, to: 1e-9)
      #expect(result.status.isConverged)
      #expect(3 * result.status.iterations < plain.status.iterations)
      #expect(relativeError(result.value, reference) <= 1e-6)
    }
  }

  @Test("The identity preconditioner changes nothing")
  func identityPreconditioner() throws {
    let matrix = MatrixKind.illConditioned.matrix(30, .float64)
    let b = randomVector(30)
    let plain = try ConjugateGradient().solution(opaqueOperator(matrix), b)
    let identity = try ConjugateGradient(preconditioner: IdentityPreconditioner())
      .solution(opaqueOperator(matrix), b)
    #expect(relativeError(plain.value, identity.value) <= 1e-6)
    #expect(abs(plain.status.iterations - identity.status.iterations) <= 1)
  }

  @Test("Ill-formed options stop the program")
  func options() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ConjugateGradient(tolerance: -1)
    }
    let message = errorText(result)
    #expect(message.contains("the tolerance must not be negative"))
    await #expect(processExitsWith: .failure) { _ = GMRES(maximumIterations: 0) }
    await #expect(processExitsWith: .failure) { _ = GMRES(restart: 0) }
    await #expect(processExitsWith: .failure) { _ = Neumann(step: 0) }
    await #expect(processExitsWith: .failure) { _ = NystromPreconditioner(rank: 0) }
    await #expect(processExitsWith: .failure) {
      _ = JacobiPreconditioner(diagonal: Tensor([1, 0]))
    }
  }
}
