import Autodiff
import Bilevel
import Solvers

/// An inner problem F(x, y) = 0 with its derivatives coded by hand, and the same problem as the
/// user's closures of a layer.
protocol ReferenceInner: Sendable {
  /// The size of x.
  var n: Int { get }
  /// The size of y.
  var m: Int { get }
  /// F, [n].
  func f(_ x: Tensor, _ y: Tensor) -> Tensor
  /// F₁, [n, n].
  func f1(_ x: Tensor, _ y: Tensor) -> Tensor
  /// F₂, [n, m].
  func f2(_ x: Tensor, _ y: Tensor) -> Tensor
  /// F₁₁[u], [n, n].
  func f11(_ x: Tensor, _ y: Tensor, along u: Tensor) -> Tensor
  /// F₂₁[u], [n, m].
  func f21(_ x: Tensor, _ y: Tensor, along u: Tensor) -> Tensor
  /// The derivative of diag F₁(x, y) in y, [n, m].
  func diagonalSensitivity(_ y: Tensor) -> Tensor
  /// The layer, its solutions from Newton's method on the closed forms.
  func layer(adjoint: any LinearSolver) -> AID<Tensor, Tensor>
}

extension ReferenceInner {
  /// x*(y) by damped Newton steps on the closed forms, until rounding.
  func solution(_ y: Tensor) throws -> Tensor {
    var x = Tensor.zeros([n])
    var residual = f(x, y)
    for _ in 0..<100 {
      let direction = try solve(f1(x, y), residual)
      var step = 1.0
      while step > 1e-6, !(f(x - step * direction, y).norm().scalar < residual.norm().scalar) {
        step /= 2
      }
      if step <= 1e-6 { break }
      x = x - step * direction
      residual = f(x, y)
    }
    return x
  }

  func layer() -> AID<Tensor, Tensor> { layer(adjoint: DenseLU()) }

  /// The layer around Newton's method on closed forms, which no transform can see through.
  func opaque(_ layer: AID<Tensor, Tensor>) -> AID<Tensor, Tensor> {
    layer.solved(tolerance: StoppingRule(relative: 1e-10, absolute: 1e-12)) { _, y in
      Tensor(try solution(Tensor(y.scalars)).scalars)
    }
  }
}

/// ‖A x − b‖² / (2N) + Σ exp(yᵢ) xᵢ² / (2n).
struct RidgeInner: ReferenceInner {
  let a: Tensor
  let b: Tensor

  var n: Int { a.shape[1] }
  var m: Int { n }
  private var count: Double { Double(a.shape[0]) }
  private var size: Double { Double(n) }

  init(seed: UInt64, rows: Int = 40, columns: Int = 7) {
    var generator = PhiloxGenerator(seed: seed)
    a = correlated(rows, columns, &generator)
    let weights = 4 * Tensor.normal([columns], using: &generator)
    b = matmul(a, weights) + 2 * Tensor.normal([rows], using: &generator)
  }

  func objective(_ x: Tensor, _ y: Tensor) -> Tensor {
    (square(matmul(a, x) - b).sum() / count + (exp(y) * square(x)).sum() / size) / 2
  }

  func f(_ x: Tensor, _ y: Tensor) -> Tensor {
    matmul(a, matmul(a, x) - b, transposeA: true) / count + exp(y) * x / size
  }

  func f1(_ x: Tensor, _ y: Tensor) -> Tensor {
    matmul(a, a, transposeA: true) / count + (exp(y) / size).embeddedDiagonal()
  }

  func f2(_ x: Tensor, _ y: Tensor) -> Tensor { (exp(y) * x / size).embeddedDiagonal() }

  func f11(_ x: Tensor, _ y: Tensor, along u: Tensor) -> Tensor { Tensor.zeros([n, n]) }

  func f21(_ x: Tensor, _ y: Tensor, along u: Tensor) -> Tensor {
    (exp(y) * u / size).embeddedDiagonal()
  }

  func diagonalSensitivity(_ y: Tensor) -> Tensor { (exp(y) / size).embeddedDiagonal() }

  func layer(adjoint: any LinearSolver) -> AID<Tensor, Tensor> {
    opaque(
      AID(
        minimizing: { x, y in objective(x, y) }, startingAt: Tensor.zeros([n]), solver: NoSolver(),
        adjoint: adjoint))
  }
}

/// mean log(1 + exp(−b (A x))) + Σ exp(yᵢ) xᵢ² / (2n), labels b = ±1.
struct LogisticInner: ReferenceInner {
  let a: Tensor
  let b: Tensor

  var n: Int { a.shape[1] }
  var m: Int { n }
  private var count: Double { Double(a.shape[0]) }
  private var size: Double { Double(n) }

  init(seed: UInt64, rows: Int = 60, columns: Int = 5) {
    (a, b) = classified(seed, rows, columns)
  }

  func objective(_ x: Tensor, _ y: Tensor) -> Tensor {
    softplus(-b * matmul(a, x)).mean() + (exp(y) * square(x)).sum() / (2 * size)
  }

  func f(_ x: Tensor, _ y: Tensor) -> Tensor {
    -matmul(a, b * sigmoid(-b * matmul(a, x)), transposeA: true) / count + exp(y) * x / size
  }

  func f1(_ x: Tensor, _ y: Tensor) -> Tensor {
    let s = sigmoid(matmul(a, x))
    return weightedGram(a, s * (1 - s)) / count + (exp(y) / size).embeddedDiagonal()
  }

  func f2(_ x: Tensor, _ y: Tensor) -> Tensor { (exp(y) * x / size).embeddedDiagonal() }

  func f11(_ x: Tensor, _ y: Tensor, along u: Tensor) -> Tensor {
    let s = sigmoid(matmul(a, x))
    return weightedGram(a, s * (1 - s) * (1 - 2 * s) * matmul(a, u)) / count
  }

  func f21(_ x: Tensor, _ y: Tensor, along u: Tensor) -> Tensor {
    (exp(y) * u / size).embeddedDiagonal()
  }

  func diagonalSensitivity(_ y: Tensor) -> Tensor { (exp(y) / size).embeddedDiagonal() }

  func layer(adjoint: any LinearSolver) -> AID<Tensor, Tensor> {
    opaque(
      AID(
        minimizing: { x, y in objective(x, y) }, startingAt: Tensor.zeros([n]), solver: NoSolver(),
        adjoint: adjoint))
  }
}

/// B x + ½ tanh(W x) + C y + x (E y) + k: not a gradient.
struct NonSymmetricRoot: ReferenceInner {
  let n: Int
  let m: Int
  private let b: Tensor
  private let w: Tensor
  private let c: Tensor
  private let e: Tensor
  private let k: Tensor

  init(seed: UInt64, n: Int = 6, m: Int = 3) {
    var generator = PhiloxGenerator(seed: seed)
    (self.n, self.m) = (n, m)
    b = 2 * Tensor.identity(n) + 0.3 * Tensor.normal([n, n], using: &generator)
    w = 0.5 * Tensor.normal([n, n], using: &generator)
    c = Tensor.normal([n, m], using: &generator)
    e = 0.2 * Tensor.normal([n, m], using: &generator)
    k = Tensor.normal([n], using: &generator)
  }

  func f(_ x: Tensor, _ y: Tensor) -> Tensor {
    matmul(b, x) + 0.5 * tanh(matmul(w, x)) + matmul(c, y) + x * matmul(e, y) + k
  }

  func f1(_ x: Tensor, _ y: Tensor) -> Tensor {
    let t = tanh(matmul(w, x))
    return b + 0.5 * column(1 - t * t) * w + matmul(e, y).embeddedDiagonal()
  }

  func f2(_ x: Tensor, _ y: Tensor) -> Tensor { c + column(x) * e }

  func f11(_ x: Tensor, _ y: Tensor, along u: Tensor) -> Tensor {
    let t = tanh(matmul(w, x))
    return column(-(1 - t * t) * t * matmul(w, u)) * w
  }

  func f21(_ x: Tensor, _ y: Tensor, along u: Tensor) -> Tensor { column(u) * e }

  func diagonalSensitivity(_ y: Tensor) -> Tensor { e }

  func layer(adjoint: any LinearSolver) -> AID<Tensor, Tensor> {
    opaque(
      AID(
        root: { x, y in f(x, y) }, startingAt: Tensor.zeros([n]), solver: NoSolver(),
        adjoint: adjoint))
  }

  /// The same solutions as those of x = x − 0.3 F(x, y).
  func fixedPointLayer(adjoint: any LinearSolver) -> AID<Tensor, Tensor> {
    opaque(
      AID(
        fixedPoint: { x, y in x - 0.3 * f(x, y) }, startingAt: Tensor.zeros([n]),
        solver: NoSolver(),
        adjoint: adjoint))
  }
}

/// Stands where a layer is given a function instead.
struct NoSolver: InnerSolver {
  func solve(_ problem: InnerProblem) throws(SolverError) -> InnerSolution {
    throw .function(Unreachable())
  }
  struct Unreachable: Error {}
}

// MARK: - Matrices

/// A vector as a column, to scale the rows of a matrix.
func column(_ v: Tensor) -> Tensor { v.reshaped(to: [-1, 1]) }

/// Aᵀ diag(w) A.
func weightedGram(_ a: Tensor, _ w: Tensor) -> Tensor {
  matmul(a, column(w) * a, transposeA: true)
}

/// Normal rows with correlated columns.
func correlated(_ rows: Int, _ columns: Int, _ generator: inout PhiloxGenerator) -> Tensor {
  let common = Tensor.normal([rows, 1], using: &generator)
  return 0.8 * Tensor.normal([rows, columns], using: &generator) + 0.6 * common
}

/// Rows with labels ±1 that depend on them.
func classified(_ seed: UInt64, _ rows: Int, _ columns: Int) -> (a: Tensor, b: Tensor) {
  var generator = PhiloxGenerator(seed: seed)
  let a = correlated(rows, columns, &generator)
  let weights = 1.5 * Tensor.normal([columns], using: &generator)
  let chance = Tensor.uniform([rows], using: &generator)
  let isPositive = chance .< sigmoid(matmul(a, weights))
  return (a, select(isPositive, Tensor.ones([rows]), -Tensor.ones([rows])))
}
