import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

/// Solutions and derivatives with more unknowns than are factorised: weak directions that a residual
/// does not show.
@Suite("Many unknowns")
struct ManyUnknownsTests {
  /// ½ Σ dᵢ (xᵢ − y)² with curvatures from 1 to κ but for one: x* = y and dx/dy = 1.
  private func layer(
    _ count: Int, condition: Double, weak: Double, from start: Tensor, _ solver: any InnerSolver,
    adjoint: any LinearSolver = ConjugateGradient()
  ) -> AID<Tensor, Tensor> {
    var elements = (0..<count).map { 1 + (condition - 1) * Double($0) / Double(count - 1) }
    elements[count / 2] = weak
    let curvatures = Tensor(elements)
    return AID(
      minimizing: { x, y in 0.5 * (curvatures * square(x - y)).sum() }, startingAt: start,
      solver: solver, adjoint: adjoint)
  }

  @Test("A tangent has its part along a weak direction", arguments: [1e-4, 1e-2])
  func weakTangent(weak: Double) throws {
    let start = Tensor.ones([100]) + 1e-9 * normal([100], seed: 1)
    for adjoint: any LinearSolver in [ConjugateGradient(), MINRES(), GMRES()] {
      let layer = layer(
        100, condition: 1e4, weak: weak, from: start, NewtonCG(), adjoint: adjoint)
      let (_, tangent) = try jvp(at: Tensor(1), along: Tensor(1)) { y in
        try layer.solution(at: y).value
      }
      #expect(abs(tangent - 1).max().scalar < 1e-5)
    }
  }

  @Test("A valley with the start far along it is followed or refused", arguments: [1e-8, 1e-12])
  func valley(weak: Double) throws {
    var elements = (1 + 1e-3 * normal([120], seed: 2)).scalars
    elements[60] = 11
    for solver: any InnerSolver in [NewtonCG(), LBFGS()] {
      let layer = layer(120, condition: 1e3, weak: weak, from: Tensor(elements), solver)
      guard let x = try? layer.solution(at: Tensor(1)).value else { continue }
      #expect(abs(x - 1).max().scalar < 1e-5)
    }
  }

  @Test("One direction of negative curvature among many is seen", arguments: [100, 600])
  func saddle(count: Int) throws {
    let start = Tensor.ones([count])
    let layer = layer(count, condition: 1e3, weak: -1e-2, from: start, NewtonCG())
    let failure = #expect(throws: SolverError.self) { try layer.solution(at: Tensor(1)) }
    #expect("\(failure.map { "\($0)" } ?? "")".contains("not positive definite"))
  }

  @Test("Separated data with many features have no minimum")
  func separatedData() throws {
    let rows = normal([240, 60], seed: 3)
    let signs = sign(matmul(rows, normal([60], seed: 4)))
    let layer = AID(
      minimizing: { (w: Tensor, y: Tensor) in softplus(-y * signs * matmul(rows, w)).mean() },
      startingAt: Tensor.zeros([60]), solver: LBFGS())
    #expect(throws: SolverError.self) { try layer.solution(at: Tensor(1)) }
  }

  @Test("One double root among sixty unknowns is found or refused")
  func doubleRoot() throws {
    let mask = Tensor((0..<60).map { $0 == 30 ? 1.0 : 0 })
    let layer = AID(
      root: { (x: Tensor, y: Tensor) in
        let z = x - y
        return (1 - mask) * z + mask * square(z)
      }, startingAt: Tensor.zeros([60]), solver: Newton())
    guard let x = try? layer.solution(at: Tensor(1)).value else { return }
    #expect(abs(x - 1).max().scalar < 1e-6)
  }
}
