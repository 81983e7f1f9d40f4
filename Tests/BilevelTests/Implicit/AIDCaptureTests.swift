import Autodiff
import Bilevel
import GradientCheck
import Solvers
import TestSupport
import Testing

/// What a layer's closures capture is differentiated too, at whatever level it is traced; and
/// layers inside the closures of layers.
@Suite("AID, captures and nesting")
struct AIDCaptureTests {
  private let problem = NonSymmetricRoot(seed: 60, n: 3, m: 3)

  /// The root problem with y captured instead of passed.
  private func capturing(_ y: Tensor) -> AID<Tensor, Tensor> {
    AID<Tensor, Tensor>(
      root: { x, scale in scale * problem.f(x, y) }, startingAt: Tensor.zeros([3]),
      solver: NoSolver(),
      adjoint: GMRES(tolerance: 1e-13)
    ).solved(tolerance: StoppingRule(relative: 1e-12)) { _, _ in
      try problem.solution(Tensor(stopGradient(y).scalars))
    }
  }

  @Test("A captured tensor: value, gradient and all Hessians are those of an argument")
  func captured() throws {
    let y = Tensor([0.2, -0.3, 0.1])
    let layer = problem.layer()
    let f = { (y: Tensor) throws -> Tensor in
      let x = try capturing(y).solution(at: Tensor(1)).value
      return (x * x * x).sum() + dot(x, y)
    }
    let g = { (y: Tensor) throws -> Tensor in
      let x = try layer.solution(at: y).value
      return (x * x * x).sum() + dot(x, y)
    }
    #expect(relativeError(try f(y), try g(y)) < 1e-15)
    let slopes = (try gradient(at: y, of: f), try gradient(at: y, of: g))
    #expect(relativeError(slopes.0, slopes.1) < 1e-12)
    for (found, expected) in zip(try hessians(at: y, of: f), try hessians(at: y, of: g)) {
      #expect(relativeError(found, expected) < 1e-11)
    }
    try requireGradients(at: y, of: f)
  }

  @Test("Captured at an outer level, passed at an inner one", arguments: mixtures(order: 2))
  func levels(modes: [Bool]) throws {
    // root of y³ + a y = x: the mixed derivative ∂²y/∂a∂x by hand.
    let (a, x) = (1.2, 1.3)
    var y = 1.0
    for _ in 0..<100 { y -= (y * y * y + a * y - x) / (3 * y * y + a) }
    let d = 3 * y * y + a
    let (yx, ya) = (1 / d, -y / d)
    let expected = -(6 * y * ya + 1) / (d * d)
    let f = { (a: Tensor, x: Tensor) throws -> Tensor in
      let layer = AID(
        root: { (y: Tensor, x: Tensor) in y * y * y + a * y - x }, startingAt: Tensor(0),
        solver: NoSolver()
      ).solved { [y] _, _ in Tensor(y) }
      return try layer.solution(at: x).value
    }
    let inX = { (a: Tensor) throws -> Tensor in
      try derivative({ try f(a, $0) }, isReverse: modes[0])(Tensor(x))
    }
    let mixed = try derivative(inX, isReverse: modes[1])(Tensor(a)).scalar
    #expect(abs(mixed - expected) < 1e-12)
    let inA = { (x: Tensor) throws -> Tensor in
      try derivative({ try f($0, x) }, isReverse: modes[0])(Tensor(a))
    }
    let swapped = try derivative(inA, isReverse: modes[1])(Tensor(x)).scalar
    #expect(abs(swapped - expected) < 1e-12)
    let first = try derivative({ try f(Tensor(a), $0) }, isReverse: modes[0])(Tensor(x)).scalar
    #expect(abs(first - yx) < 1e-12)
  }

  @Test("Captured and passed at the same level")
  func sameLevel() throws {
    let y = Tensor([0.2, -0.3, 0.1])
    try requireGradients(at: y) { y in
      let layer = AID<Tensor, Tensor>(
        root: { x, passed in problem.f(x, passed) + 0.3 * y * x }, startingAt: Tensor.zeros([3]),
        solver: Newton(
          linearSolver: DenseLU(), stopping: StoppingRule(relative: 1e-14, absolute: 1e-15)))
      return try layer.solution(at: y * y).value
    }
  }

  // MARK: - Three levels

  /// The innermost minimum z*(x, y) = argmin ½ (1 + e^y) z² − x z is x / (1 + e^y).
  ///
  /// The middle objective ½ (x − y)² + ½ z*(x, y) x is ½ (x − y)² + ½ x² / (1 + e^y), with the minimum
  /// x* = y (1 + e^y) / (2 + e^y).
  private func nested(_ y: Tensor) throws -> Tensor {
    let middle = AID<Tensor, Tensor>(
      minimizing: { x, y in
        let innermost = AID<Tensor, Tensor>(
          minimizing: { z, x in 0.5 * (1 + exp(y)) * z * z - x * z }, startingAt: Tensor(0),
          solver: NoSolver(), adjoint: DenseLU()
        ).solved { _, x in Tensor(x.scalar / (1 + exp(Tensor(stopGradient(y).scalar)).scalar)) }
        let z = try innermost.solution(at: x).value
        return 0.5 * square(x - y) + 0.5 * z * x
      }, startingAt: Tensor(0),
      solver: NewtonCG(stopping: StoppingRule(relative: 1e-13, absolute: 1e-14)),
      adjoint: ConjugateGradient(tolerance: 1e-13))
    return try middle.solution(at: y).value
  }

  @Test("A layer inside the inner objective of a layer", arguments: [1, 2])
  func threeLevels(order: Int) throws {
    let closed = { (y: Tensor) in y * (1 + exp(y)) / (2 + exp(y)) }
    #expect(abs(try nested(Tensor(0.7)).scalar - closed(Tensor(0.7)).scalar) < 1e-13)
    for modes in mixtures(order: order) {
      let expected = try derivative(closed, modes: modes)(Tensor(0.7)).scalar
      let found = try derivative(nested, modes: modes)(Tensor(0.7)).scalar
      #expect(abs(found - expected) < 1e-11, "\(modes)")
    }
  }

  @Test("A layer inside the inner objective of a layer, on vectors that couple")
  func threeLevelsOfVectors() throws {
    // Innermost: W z = x + y with a W that is not symmetric; middle: minimum of
    // ½ ‖x − y²‖² + ½ ‖z‖²; in closed form x = (I + A)⁻¹ (y² − A y) with A = W⁻ᵀ W⁻¹.
    let w = Tensor(rows: [[2, 0.6, 0], [-0.5, 1.5, 0.3], [0.1, -0.7, 1.8]])
    let inverse = try solve(w, Tensor.identity(3))
    let a = matmul(inverse, inverse, transposeA: true)
    let nested = { (y: Tensor) throws -> Tensor in
      let middle = AID<Tensor, Tensor>(
        minimizing: { x, y in
          let innermost = AID<Tensor, Tensor>(
            root: { z, x in matmul(w, z) - x - y }, startingAt: Tensor.zeros([3]),
            solver: NoSolver(),
            adjoint: DenseLU()
          ).solved { _, x in matmul(inverse, Tensor(x.scalars) + Tensor(stopGradient(y).scalars)) }
          let z = try innermost.solution(at: x).value
          return 0.5 * square(x - y * y).sum() + 0.5 * square(z).sum()
        }, startingAt: Tensor.zeros([3]), solver: NoSolver(), adjoint: DenseLU()
      ).solved { _, y in
        let y = Tensor(y.scalars)
        return try solve(Tensor.identity(3) + a, y * y - matmul(a, y))
      }
      let x = try middle.solution(at: y).value
      return (x * x * x).sum()
    }
    let closed = { (y: Tensor) throws -> Tensor in
      let x = try solve(Tensor.identity(3) + a, y * y - matmul(a, y))
      return (x * x * x).sum()
    }
    let y = Tensor([0.8, -1.1, 0.6])
    let slopes = (try gradient(at: y, of: nested), try gradient(at: y, of: closed))
    #expect(relativeError(slopes.0, slopes.1) < 1e-12)
    for (found, expected) in zip(try hessians(at: y, of: nested), try hessians(at: y, of: closed)) {
      #expect(relativeError(found, expected) < 1e-11)
    }
  }
}
