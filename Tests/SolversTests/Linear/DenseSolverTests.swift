import Autodiff
import Solvers
import Testing

@Suite("Dense factorisations")
struct DenseSolverTests {
  private static let blocks = [
    VectorBlock(name: "encoder", range: 0..<2), VectorBlock(name: "head", range: 2..<5),
  ]

  @Test("The matrix is formed and factorised once, for both sides", arguments: [false, true])
  func factorOnce(_ isSymmetric: Bool) throws {
    let kind = isSymmetric ? MatrixKind.definite : .nonsymmetric
    let solver: any LinearSolver = isSymmetric ? DenseCholesky() : DenseLU()
    let a = opaqueOperator(kind.matrix(20, .float64))
    let first = try solver.solution(a, randomVector(20))
    let second = try solver.solution(a, randomVector(20, seed: 2), transposed: true)
    #expect(first.status.evaluations == 20)
    #expect(second.status.evaluations == 0)
    #expect(first.status.isConverged && second.status.isConverged)
  }

  @Test("All blocks of the matrix are used, not only those on the diagonal")
  func offDiagonalBlocks() throws {
    let matrix = MatrixKind.nonsymmetric.matrix(5, .float64)
    let result = try DenseLU().solution(
      opaqueOperator(matrix, blocks: Self.blocks), randomVector(5), to: 1e-14)
    #expect(result.status.isConverged)
  }

  /// A matrix of which the last two variables, both of "head", appear as their sum only.
  private static func redundant(_ defect: Double, _ type: ScalarType) -> Tensor {
    let core = MatrixKind.definite.matrix(4, .float64)
    let basis = Tensor(rows: [
      [1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 1],
    ])
    let semidefinite = matmul(matmul(basis, core, transposeA: true), basis)
    return (semidefinite + defect * Tensor.identity(5)).cast(to: type)
  }

  @Test(
    "A singular matrix is reported with its null direction",
    arguments: [ScalarType.float64, .float32], [0, 1.0])
  func singular(_ type: ScalarType, _ defect: Double) throws {
    // Exactly singular up to rounding, and perturbed by a few ulp.
    let matrix = Self.redundant(defect * type.ulpOfOne, type)
    for transposed in [false, true] {
      let solvers: [any LinearSolver] = [DenseLU(), DenseCholesky()]
      for solver in solvers {
        let a = opaqueOperator(matrix, blocks: Self.blocks)
        let result = try solver.solution(a, randomVector(5, type), transposed: transposed)
        guard case .singular(let shares) = result.status.outcome else {
          Issue.record("expected a singular matrix, found \(result.status)")
          continue
        }
        #expect(shares.map(\.name) == ["head"])
        #expect((shares.first?.share ?? 0) > 0.999)
      }
    }
  }

  @Test("A zero matrix and one with a zero column are singular")
  func exactlySingular() throws {
    let zero = try DenseLU().solution(opaqueOperator(.zeros([4, 4])), .ones([4]))
    guard case .singular = zero.status.outcome else {
      Issue.record("expected a singular matrix, found \(zero.status)")
      return
    }
    let column = Tensor(rows: [[1, 0, 2], [3, 0, 4], [5, 0, 7]])
    let blocks = (0..<3).map { VectorBlock(name: "x\($0)", range: $0..<$0 + 1) }
    let result = try DenseLU().solution(opaqueOperator(column, blocks: blocks), .ones([3]))
    guard case .singular(let shares) = result.status.outcome else {
      Issue.record("expected a singular matrix, found \(result.status)")
      return
    }
    #expect(shares.map(\.name) == ["x1"])
  }

  @Test("An ill-conditioned matrix that is regular is solved", arguments: [1e6, 1e10, 1e12])
  func illConditioned(_ condition: Double) throws {
    let exponents = Tensor.linearSpace(from: 0, to: 1, count: 25)
    let eigenvalues = pow(Tensor(condition), -1 * exponents)
    let matrix = symmetricMatrix(eigenvalues)
    let b = matmul(matrix, randomVector(25))
    for solver in [DenseLU(), DenseCholesky()] as [any LinearSolver] {
      let result = try solver.solution(opaqueOperator(matrix), b, to: 1e-13)
      #expect(result.status.isConverged)
    }
  }

  @Test("Cholesky names the direction of negative curvature", arguments: [0, 2, 4])
  func indefinite(_ place: Int) throws {
    var diagonal = [Double](repeating: 2, count: 5)
    diagonal[place] = -0.5
    let result = try DenseCholesky().solution(
      opaqueOperator(Tensor(diagonal).embeddedDiagonal(), blocks: Self.blocks), .ones([5]))
    guard case .indefinite(let curvature, let shares) = result.status.outcome else {
      Issue.record("expected indefiniteness, found \(result.status)")
      return
    }
    #expect(curvature == -0.5)
    #expect(shares.map(\.name) == [place < 2 ? "encoder" : "head"])
  }

  @Test("The reported curvature is one of the matrix")
  func indefiniteFull() throws {
    let matrix = MatrixKind.indefinite.matrix(30, .float64)
    let result = try DenseCholesky().solution(opaqueOperator(matrix), randomVector(30))
    guard case .indefinite(let curvature, _) = result.status.outcome else {
      Issue.record("expected indefiniteness, found \(result.status)")
      return
    }
    #expect(curvature < 0 && curvature >= -10)
  }
}
