import Autodiff
import Solvers
import TestSupport
import Testing

/// The kinds of matrices that the solvers are tried on.
enum MatrixKind: String, CaseIterable, Sendable {
  /// Symmetric, eigenvalues from 1 to 10.
  case definite
  /// Symmetric, eigenvalues from 1e-4 to 1 (float64) or from 1e-2 to 1 (float32).
  case illConditioned
  /// Symmetric, eigenvalues of magnitudes from 1 to 10 and of both signs.
  case indefinite
  /// Not symmetric: 3 I plus a random matrix with spectral radius about 1.
  case nonsymmetric

  var isSymmetric: Bool { self != .nonsymmetric }

  func matrix(_ n: Int, _ type: ScalarType, seed: UInt64 = 5) -> Tensor {
    var generator = PhiloxGenerator(seed: seed)
    switch self {
    case .definite:
      return symmetricMatrix(.linearSpace(from: 1, to: 10, count: n), seed: seed).cast(to: type)
    case .illConditioned:
      let decades = type == .float32 ? 2.0 : 4.0
      let exponents = Tensor.linearSpace(from: -decades, to: 0, count: n)
      return symmetricMatrix(exp(exponents * 2.302585092994046), seed: seed).cast(to: type)
    case .indefinite:
      let magnitudes = Tensor.linearSpace(from: 1, to: 10, count: n)
      let signs = Tensor((0..<n).map { $0.isMultiple(of: 3) ? -1 : 1 })
      return symmetricMatrix(magnitudes * signs, seed: seed).cast(to: type)
    case .nonsymmetric:
      let random = Tensor.normal([n, n], using: &generator) * (1 / Double(n).squareRoot())
      return (random + 3 * Tensor.identity(n)).cast(to: type)
    }
  }
}

/// Q diag(eigenvalues) Qᵀ with a random orthogonal Q.
func symmetricMatrix(_ eigenvalues: Tensor, seed: UInt64 = 5) -> Tensor {
  let q = orthogonalMatrix(eigenvalues.elementCount, seed: seed)
  return symmetrized(matmul(q * eigenvalues, q, transposeB: true))
}

/// A random orthogonal matrix: the eigenvectors of a random symmetric one.
func orthogonalMatrix(_ n: Int, seed: UInt64) -> Tensor {
  var generator = PhiloxGenerator(seed: seed)
  let random = symmetrized(Tensor.normal([n, n], using: &generator))
  guard let vectors = try? symmetricEigen(random).vectors else {
    fatalError("the eigenvectors of a random matrix did not converge")
  }
  return vectors
}

/// A random vector of standard normal elements.
func randomVector(_ n: Int, _ type: ScalarType = .float64, seed: UInt64 = 17) -> Tensor {
  var generator = PhiloxGenerator(seed: seed)
  return .normal([n], type, using: &generator)
}

/// A matrix as an operator whose products automatic differentiation cannot see: they are computed
/// from Swift numbers, one row after the other.
func opaqueOperator(_ matrix: Tensor, blocks: [VectorBlock]? = nil) -> LinearOperator {
  let type = matrix.scalarType
  let n = matrix.shape[0]
  let rows = (0..<n).map { stopGradient(matrix)[$0].scalars }
  let columns = (0..<n).map { stopGradient(matrix).transposed()[$0].scalars }
  func product(_ lines: [[Double]], _ v: Tensor) -> Tensor {
    let elements = v.scalars
    let sums = lines.map { line in
      var sum = 0.0
      for index in 0..<n { sum += line[index] * elements[index] }
      return sum
    }
    return Tensor(sums).cast(to: type)
  }
  return LinearOperator(
    size: n, scalarType: type, blocks: blocks, product: { product(rows, $0) },
    transposedProduct: { product(columns, $0) })
}

/// ‖b − A x‖ or ‖b − Aᵀ x‖, in double precision.
func residualNorm(_ matrix: Tensor, _ x: Tensor, _ b: Tensor, transposed: Bool = false) -> Double {
  let a = matrix.cast(to: .float64)
  let product = matmul(transposed ? a.transposed() : a, x.cast(to: .float64))
  return length(b.cast(to: .float64) - product)
}

extension LinearSolver {
  /// Solves A x = b with the arguments that most tests leave alone.
  func solution(
    _ a: LinearOperator, _ b: Tensor, transposed: Bool = false, from start: Tensor? = nil,
    to tolerance: Double = 1e-10
  ) throws -> LinearSolution {
    try solve(
      LinearSystem(a, b, isTransposed: transposed, guess: start, tolerance: tolerance))
  }
}

/// A solver with the matrices it is for.
struct SolverCase: Sendable, CustomTestStringConvertible {
  let name: String
  let solver: any LinearSolver
  let kinds: [MatrixKind]
  var testDescription: String { name }
  /// Whether it works by products alone.
  var isIterative: Bool { !name.hasPrefix("Dense") }

  static let all: [SolverCase] = [
    SolverCase(
      name: "ConjugateGradient", solver: ConjugateGradient(), kinds: [.definite, .illConditioned]),
    SolverCase(
      name: "ConjugateGradient, Jacobi",
      solver: ConjugateGradient(preconditioner: JacobiPreconditioner(products: 10)),
      kinds: [.definite, .illConditioned]),
    SolverCase(
      name: "ConjugateGradient, Nyström",
      solver: ConjugateGradient(preconditioner: NystromPreconditioner(rank: 5)),
      kinds: [.definite, .illConditioned]),
    SolverCase(
      name: "MINRES", solver: MINRES(), kinds: [.definite, .illConditioned, .indefinite]),
    SolverCase(name: "GMRES", solver: GMRES(), kinds: MatrixKind.allCases),
    SolverCase(
      name: "GMRES, restarted", solver: GMRES(restart: 15), kinds: [.definite, .nonsymmetric]),
    SolverCase(name: "BiCGStab", solver: BiCGStab(), kinds: [.definite, .nonsymmetric]),
    SolverCase(
      name: "NormalConjugateGradient", solver: NormalConjugateGradient(),
      kinds: [.definite, .indefinite, .nonsymmetric]),
    SolverCase(name: "Neumann", solver: Neumann(step: 0.15), kinds: [.definite, .nonsymmetric]),
    SolverCase(
      name: "DenseCholesky", solver: DenseCholesky(), kinds: [.definite, .illConditioned]),
    SolverCase(name: "DenseLU", solver: DenseLU(), kinds: MatrixKind.allCases),
  ]

  static let iterative = all.filter(\.isIterative)
}

/// One system of the cross product of solvers, matrices, types and sides.
struct SystemCase: Sendable, CustomTestStringConvertible {
  let solver: SolverCase
  let kind: MatrixKind
  let type: ScalarType
  let transposed: Bool
  var testDescription: String {
    "\(solver.name), \(kind.rawValue), \(type)\(transposed ? ", transposed" : "")"
  }

  static let all = SolverCase.all.flatMap { solver in
    solver.kinds.flatMap { kind in
      [ScalarType.float64, .float32].flatMap { type in
        [false, true].map {
          SystemCase(solver: solver, kind: kind, type: type, transposed: $0)
        }
      }
    }
  }
}
