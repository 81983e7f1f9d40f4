import Autodiff
import Bilevel
import Foundation
import GradientCheck
import Solvers
import Testing

/// Small problems with published answers that other libraries get wrong.
@Suite("Known problems")
struct KnownProblemTests {
  /// Residuals (y − t, y² − 1): at t = 3, y* is the root of 2y³ − y = t.
  private func residuals(_ y: Tensor, _ t: Tensor) -> Tensor {
    Tensor.stacked([y - t, y * y - 1])
  }

  private func exact(_ t: Double) -> (y: Double, first: Double, second: Double) {
    var y = 1.5
    for _ in 0..<60 { y -= (2 * y * y * y - y - t) / (6 * y * y - 1) }
    let d = 6 * y * y - 1
    return (y, 1 / d, -12 * y / (d * d * d))
  }

  @Test("Nonlinear least squares with residuals that remain: the full Hessian counts")
  func leastSquares() throws {
    let (y, first, second) = exact(3)
    #expect(abs(first - 0.11137) < 5e-6)
    let tight = StoppingRule(relative: 1e-13, absolute: 1e-14)
    let library = AID(
      leastSquares: { residuals($0, $1) }, startingAt: Tensor(1),
      solver: LevenbergMarquardt(stopping: tight))
    let opaque = AID(
      leastSquares: { residuals($0, $1) }, startingAt: Tensor(1), solver: NoSolver(),
      adjoint: DenseLU()
    ).solved(tolerance: tight) { _, t in Tensor(exact(t.scalar).y) }
    for layer in [library, opaque] {
      let f = { (t: Tensor) throws -> Tensor in try layer.solution(at: t).value }
      #expect(abs(try f(Tensor(3)).scalar - y) < 1e-12)
      for (order, expected) in [(1, first), (2, second)] {
        for modes in mixtures(order: order) {
          let found = try derivative(f, modes: modes)(Tensor(3)).scalar
          #expect(abs(found - expected) < 1e-12, "\(modes)")
        }
      }
    }
  }

  @Test("The Gauss–Newton matrix instead would give .13068")
  func gaussNewton() {
    let (y, first, _) = exact(3)
    #expect(abs(1 / (1 + 4 * y * y) - 0.13068) < 5e-6)
    #expect(abs(first - 0.13068) > 0.01)
  }

  @Test("x² + an opaque solve: the second derivative is 14", arguments: mixtures(order: 2))
  func opaqueOperator(modes: [Bool]) throws {
    // root of z − 6x² = 0 found by Foundation: x² + z has the second derivative 2 + 12.
    let layer = AID(
      root: { (z: Tensor, x: Tensor) in z - 6 * x * x }, startingAt: Tensor(0), solver: NoSolver()
    ).solved { _, x in Tensor(6 * Foundation.pow(x.scalar, 2)) }
    let f = { (x: Tensor) throws -> Tensor in x * x + (try layer.solution(at: x).value) }
    let found = try derivative(f, modes: modes)(Tensor(0.7)).scalar
    #expect(abs(found - 14) < 1e-12)
  }

  @Test("A non-linear opaque operator passes a full gradient check")
  func opaqueCheck() throws {
    // eᶻ + z = x, by bisection on Swift numbers.
    let layer = AID(
      root: { (z: Tensor, x: Tensor) in exp(z) + z - x }, startingAt: Tensor.zeros([3]),
      solver: NoSolver()
    ).solved { _, x in
      Tensor(
        x.scalars.map { target in
          var (low, high) = (-50.0, 50.0)
          for _ in 0..<200 {
            let middle = (low + high) / 2
            if Foundation.exp(middle) + middle < target { low = middle } else { high = middle }
          }
          return (low + high) / 2
        })
    }
    try requireGradients(at: Tensor([0.3, 1, 2.5])) { x in
      square(x) + (try layer.solution(at: x).value)
    }
  }
}
