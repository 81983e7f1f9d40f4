import Autodiff
import Solvers
import TestSupport

/// Counts what a solver evaluates.
final class Counter {
  var value = 0
}

/// f = ½ (x − x*)ᵀ A (x − x*) with curvatures log-spaced from 1 to κ, in rotated coordinates.
struct Quadratic {
  let matrix: Tensor
  let solution: Tensor
  let condition: Double

  init(size: Int, condition: Double, seed: UInt64 = 1) {
    let exponents = Tensor.range(size) / Double(max(size - 1, 1))
    let curvatures = pow(Tensor(condition), exponents)
    let v = normal([size], seed: seed)
    let reflection = Tensor.identity(size) - 2 * outer(v, v) / dot(v, v)
    matrix = matmul(reflection * curvatures, reflection)
    solution = normal([size], seed: seed + 1)
    self.condition = condition
  }

  func problem(from start: Tensor) throws -> InnerProblem {
    let (a, s) = (matrix.cast(to: start.scalarType), solution.cast(to: start.scalarType))
    return try .minimum(startingAt: start) { x in 0.5 * dot(x - s, matmul(a, x - s)) }
  }
}

/// f = ½ xᵀ A x − bᵀ x with curvatures log-spaced from 1/κ to 1 in rotated coordinates, and a
/// solution of a length near κ.
///
/// Values are resolved no better than to ε‖x*‖², far worse than their size tells, so that most of
/// the way to a small gradient has to be gone without them.
struct LongQuadratic {
  let matrix: Tensor
  let b: Tensor

  init(size: Int, condition: Double, seed: UInt64 = 1, _ scalarType: ScalarType = .float64) throws {
    let raw = normal([size, size], seed: seed)
    let (_, basis) = try symmetricEigen(raw + raw.transposed())
    let curvatures = pow(Tensor(condition), Tensor.range(size) / Double(size - 1) - 1)
    let product = matmul(basis * curvatures, basis, transposeB: true)
    matrix = (0.5 * (product + product.transposed())).cast(to: scalarType)
    b = normal([size], seed: seed + 1).cast(to: scalarType)
  }

  func problem() throws -> InnerProblem {
    try .minimum(startingAt: .zeros(like: b)) { x in 0.5 * dot(x, matmul(matrix, x)) - dot(b, x) }
  }
}

/// Logistic regression with a ridge, the mean over 200 samples.
enum Logistic {
  static func problem(
    _ scalarType: ScalarType = .float64, features: Int = 10, ridge: Double = 1e-3
  ) throws -> InnerProblem {
    let x = normal([200, features], seed: 11)
    let noise = normal([200], seed: 12)
    let labels = sign(matmul(x, normal([features], seed: 13)) + noise)
    let (data, y) = (x.cast(to: scalarType), labels.cast(to: scalarType))
    return try .minimum(startingAt: .zeros([features], scalarType)) { w in
      softplus(-y * matmul(data, w)).mean() + 0.5 * ridge * dot(w, w)
    }
  }
}

/// Σ 100 (x₂ᵢ − x₁ᵢ²)² + (1 − x₁ᵢ)², with its minimum at ones.
enum Rosenbrock {
  static func start(_ size: Int) -> Tensor {
    Tensor((0..<size).map { $0.isMultiple(of: 2) ? -1.2 : 1 })
  }

  static func residuals(_ x: Tensor) -> Tensor {
    let pairs = x.reshaped(to: [-1, 2])
    let (a, b) = (pairs[.all, 0], pairs[.all, 1])
    return Tensor.concatenated([10 * (b - square(a)), 1 - a]) * (2.0).squareRoot()
  }

  static func problem(_ size: Int) throws -> InnerProblem {
    try .minimum(startingAt: start(size)) { x in 0.5 * square(residuals(x)).sum() }
  }
}

/// A solver by dense LU, what Newton's method is tested with.
struct DenseTestSolver: LinearSolver {
  let tolerance: Double? = 0

  func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    let b = system.rightHandSide
    let dense = try system.matrix.dense()
    let matrix = system.isTransposed ? dense.transposed() : dense
    do {
      let x = try Autodiff.solve(matrix, b)
      let residual = distance(b, matmul(matrix, x))
      return LinearSolution(value: x, status: status(.converged, b, residual))
    } catch {
      return LinearSolution(
        value: .zeros(like: b), status: status(.singular(blocks: []), b, b.norm().scalar))
    }
  }

  private func status(
    _ outcome: SolverStatus.Outcome, _ b: Tensor, _ residual: Double
  ) -> SolverStatus {
    SolverStatus(
      method: "DenseTestSolver", outcome: outcome, history: [b.norm().scalar, residual],
      threshold: 0, scale: b.norm().scalar, evaluations: 0)
  }
}

/// Every solver of minima, to a tolerance.
func minimumSolvers(_ stopping: StoppingRule) -> [any InnerSolver] {
  [
    GradientDescent(stopping: stopping), AcceleratedGradientDescent(stopping: stopping),
    LBFGS(stopping: stopping), NewtonCG(stopping: stopping),
    Newton(linearSolver: DenseTestSolver(), stopping: stopping),
    StochasticAdam(learningRate: 0.05, checkInterval: 1, stopping: stopping),
  ]
}
