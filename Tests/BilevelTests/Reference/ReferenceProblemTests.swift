import Autodiff
import Testing
import TestSupport

/// The closed forms themselves, against finite differences: nothing of the layers.
@Suite("Closed forms of the reference problems")
struct ReferenceProblemTests {
  @Test("Derivatives of the inner problem", arguments: ReferenceProblem.all)
  func inner(_ problem: ReferenceProblem) throws {
    let (inner, y) = (problem.inner, problem.y)
    let x = try problem.point(off: 0.3)
    let u = problem.direction
    #expect(relativeError(inner.f1(x, y), try differences({ inner.f($0, y) }, at: x)) < 1e-9)
    #expect(relativeError(inner.f2(x, y), try differences({ inner.f(x, $0) }, at: y)) < 1e-9)
    let f11 = try differences({ matmul(inner.f1($0, y), u) }, at: x)
    let f21 = try differences({ matmul(inner.f2($0, y), problem.y) }, at: x)
    let closed = matmul(inner.f11(x, y, along: u), u)
    #expect((closed - matmul(f11, u)).norm().scalar < 1e-8)
    #expect((matmul(inner.f21(x, y, along: u), y) - matmul(f21, u)).norm().scalar < 1e-8)
    let diagonal = try differences({ inner.f1(x, $0).diagonal() }, at: y)
    #expect(relativeError(inner.diagonalSensitivity(y), diagonal) < 1e-9)
  }

  @Test("Derivatives of the outer objective", arguments: ReferenceProblem.all)
  func outer(_ problem: ReferenceProblem) throws {
    let (outer, y) = (problem.outer, problem.y)
    let x = try problem.point(off: 0.3)
    let pairs = [
      (outer.g1(x, y), try differences({ outer.value($0, y) }, at: x)),
      (outer.g2(x, y), try differences({ outer.value(x, $0) }, at: y)),
      (outer.g11(x, y), try differences({ outer.g1($0, y) }, at: x)),
      (outer.g21(x, y), try differences({ outer.g2($0, y) }, at: x)),
    ]
    for (closed, numeric) in pairs {
      let difference = (closed - numeric).norm().scalar
      #expect(difference <= 1e-8 * max(1, numeric.norm().scalar))
    }
  }

  @Test("The solution solves the problem to rounding", arguments: ReferenceProblem.all)
  func solution(_ problem: ReferenceProblem) throws {
    let x = try problem.solution()
    let (inner, y) = (problem.inner, problem.y)
    let scale = inner.f(Tensor.zeros([inner.n]), y).norm().scalar
    #expect(inner.f(x, y).norm().scalar <= 1e-14 * scale)
  }

  @Test("Ω₁ = (dp*/dy)ᵀ F₁ at the solution", arguments: ReferenceProblem.all)
  func adjointIdentity(_ problem: ReferenceProblem) throws {
    let x = try problem.solution()
    let identity = matmul(
      try problem.adjointSensitivity(x), problem.inner.f1(x, problem.y), transposeA: true)
    let difference = (try problem.omega1(x) - identity).norm().scalar
    #expect(difference <= 1e-12 * max(1, identity.norm().scalar))
  }
}
