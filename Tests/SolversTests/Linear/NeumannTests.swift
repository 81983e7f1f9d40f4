import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Neumann series")
struct NeumannTests {
  /// I − T with T of a spectral radius.
  private static func fixedPoint(_ radius: Double, _ n: Int = 30) -> Tensor {
    Tensor.identity(n) - symmetricMatrix(.linearSpace(from: -radius, to: radius, count: n))
  }

  private static func refusal(
    _ matrix: Tensor, step: Double = 1
  ) throws -> (radius: Double, step: Double?)? {
    let n = matrix.shape[0]
    let result = try Neumann(step: step).solution(opaqueOperator(matrix), randomVector(n))
    guard case .notContractive(let radius, let admissible) = result.status.outcome else {
      return nil
    }
    #expect(result.status.isRefusal)
    return (radius, admissible)
  }

  @Test("A contraction is accepted and converges at its rate", arguments: [0.5, 0.9])
  func contraction(_ radius: Double) throws {
    let matrix = Self.fixedPoint(radius)
    let b = randomVector(30)
    let result = try Neumann().solution(opaqueOperator(matrix), b)
    #expect(result.status.isConverged)
    #expect(relativeError(result.value, try solve(matrix, b)) <= 1e-8)
    let tail = result.status.history.suffix(6)
    let first = try #require(tail.first)
    let last = try #require(tail.last)
    // Five iterations at the end, each by a factor of about the radius.
    let expected = radius * radius * radius * radius * radius
    #expect(last / first < 1.01 * expected)
    #expect(last / first > 0.8 * expected)
  }

  @Test("k terms of the series are what k iterations give")
  func truncated() throws {
    let matrix = Self.fixedPoint(0.8)
    let map = Tensor.identity(30) - matrix
    let b = randomVector(30)
    var sum = Tensor.zeros([30])
    for _ in 0..<5 { sum = b + matmul(map, sum) }
    let result = try Neumann(maximumIterations: 5).solution(opaqueOperator(matrix), b)
    #expect(result.status.outcome == .iterationLimit)
    #expect(relativeError(result.value, sum) <= 1e-14)
  }

  @Test("A map that does not contract is refused, with a step that works", arguments: [1.5, 4, 50])
  func refusedWithStep(_ largest: Double) throws {
    // I − A has the eigenvalues 0.5 … 1 − 2 largest.
    let matrix = symmetricMatrix(.linearSpace(from: 0.5, to: 2 * largest, count: 30))
    let refusal = try #require(try Self.refusal(matrix))
    #expect(abs(refusal.radius - (2 * largest - 1)) <= 0.05 * (2 * largest - 1))
    let step = try #require(refusal.step)
    #expect(step < 1 / largest)
    let b = randomVector(30)
    let result = try Neumann(maximumIterations: 20_000, step: step).solution(
      opaqueOperator(matrix), b)
    #expect(result.status.isConverged)
    #expect(relativeError(result.value, try solve(matrix, b)) <= 1e-7)
  }

  /// Rotations by ± angle, scaled, on planes.
  private static func rotation(_ radius: Double, cosine: Double) -> Tensor {
    let sine = (1 - cosine * cosine).squareRoot()
    let (c, s) = (radius * cosine, radius * sine)
    let core = Tensor(rows: [
      [c, -s, 0, 0], [s, c, 0, 0], [0, 0, 0.3, 0], [0, 0, 0, -0.2],
    ])
    // A similarity far from orthogonal, under which norms oscillate.
    let basis = Tensor(rows: [[1, 4, 0, 1], [0, 1, 2, 0], [0, 0, 1, 5], [0, 0, 0, 1]])
    guard let inverse = try? solve(basis, Tensor.identity(4)) else { fatalError("singular") }
    return matmul(matmul(basis, core), inverse)
  }

  @Test("Complex pairs are judged by their modulus", arguments: [-0.5, 0.0, 0.2, 0.9])
  func complexPairs(_ cosine: Double) throws {
    let inside = Tensor.identity(4) - Self.rotation(0.97, cosine: cosine)
    let accepted = try Neumann(maximumIterations: 5000).solution(
      opaqueOperator(inside), randomVector(4))
    #expect(accepted.status.isConverged)

    let outside = Tensor.identity(4) - Self.rotation(1.03, cosine: cosine)
    let refusal = try #require(try Self.refusal(outside))
    #expect(abs(refusal.radius - 1.03) <= 1e-2)
    // Re λ = 1 − 1.03 cosine > 0: some step contracts.
    let step = try #require(refusal.step)
    let result = try Neumann(maximumIterations: 20_000, step: step).solution(
      opaqueOperator(outside), randomVector(4))
    #expect(result.status.isConverged)
  }

  @Test("Three eigenvalues of one modulus")
  func cyclicShift() throws {
    let shift = Tensor(rows: [[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    let accepted = try Neumann().solution(
      opaqueOperator(Tensor.identity(3) - 0.9 * shift), Tensor([1, 2, 4]))
    #expect(accepted.status.isConverged)
    let refusal = try #require(try Self.refusal(Tensor.identity(3) - 1.2 * shift))
    #expect(abs(refusal.radius - 1.2) <= 1e-2)
    // λ = 1 − 1.2 has a negative real part: no step contracts.
    #expect(refusal.step == nil)
  }

  @Test("A map far from normal that contracts in the end is accepted")
  func nonNormal() throws {
    let map = Tensor(rows: [[0.6, 30, 0], [0, 0.5, 30], [0, 0, 0.4]])
    let result = try Neumann().solution(
      opaqueOperator(Tensor.identity(3) - map), Tensor([1, 1, 1]))
    #expect(result.status.isConverged)
    let history = result.status.history
    // It rises first.
    #expect(history[1] > history[0])
  }

  @Test("No step is offered where an eigenvalue is negative")
  func negative() throws {
    let matrix = symmetricMatrix(Tensor([-0.5, 0.3, 0.5, 1]))
    let refusal = try #require(try Self.refusal(matrix))
    #expect(abs(refusal.radius - 1.5) <= 1e-2)
    #expect(refusal.step == nil)
  }

  @Test("The estimate is made once for an operator and its transpose")
  func estimateOnce() throws {
    let a = opaqueOperator(Self.fixedPoint(0.5))
    let b = randomVector(30)
    _ = try Neumann().solution(a, b)
    let transposed = try Neumann().solution(a, b, transposed: true)
    #expect(transposed.status.evaluations == transposed.status.iterations + 1)
  }
}
