import Autodiff
import Bilevel
import Solvers
import Testing

/// y³ + y = x as a root, around a solver that reads Swift numbers.
private func cubicLayer() -> AID<Tensor, Tensor> {
  AID(
    root: { y, x in y * y * y + y - x }, startingAt: Tensor(0), adjoint: DenseLU()
  ).solved(tolerance: StoppingRule(relative: 1e-14, absolute: 1e-14)) { _, x in
    Tensor(cubicRoot(x.scalar))
  }
}

@Suite("AID, higher order")
struct AIDHigherOrderTests {
  @Test("Derivatives of a cubic root up to the third, in every mixture", arguments: [1, 2, 3])
  func cubic(order: Int) throws {
    let expected = cubicRootDerivatives(1.3)[order]
    let layer = cubicLayer()
    for modes in mixtures(order: order) {
      let found = try derivative({ try layer.solution(at: $0).value }, modes: modes)(Tensor(1.3))
      #expect(abs(found.scalar - expected) <= 1e-12, "modes \(modes)")
    }
  }

  @Test("The published third derivatives")
  func published() {
    let d = cubicRootDerivatives(1.3)
    let published = [0.344797, -0.195743, 0.248572]
    for (found, expected) in zip(d[1...], published) { #expect(abs(found - expected) < 5e-7) }
  }

  @Test("The same derivatives through a captured tensor", arguments: [1, 2, 3])
  func captured(order: Int) throws {
    let expected = cubicRootDerivatives(1.3)[order]
    for modes in mixtures(order: order) {
      let f = { (x: Tensor) throws -> Tensor in
        let layer = AID(
          root: { (y: Tensor, one: Tensor) in one * (y * y * y + y) - x }, startingAt: Tensor(0),
          solver: NoSolver(), adjoint: DenseLU()
        ).solved(tolerance: StoppingRule(relative: 1e-14, absolute: 1e-14)) { _, _ in
          Tensor(cubicRoot(x.scalar))
        }
        return try layer.solution(at: Tensor(1)).value
      }
      let found = try derivative(f, modes: modes)(Tensor(1.3))
      #expect(abs(found.scalar - expected) <= 1e-12, "modes \(modes)")
    }
  }

  @Test("No perturbation confusion across an implicit boundary", arguments: mixtures(order: 2))
  func perturbationConfusion(modes: [Bool]) throws {
    // d/dx [x · d/dz root(x + z)] at z = 0 is r′ + x r″ with r the cubic root.
    let layer = cubicLayer()
    let f = { (x: Tensor) throws -> Tensor in
      let inner = derivative(
        { z in try layer.solution(at: x + z).value }, isReverse: modes[0])
      return x * (try inner(Tensor(0)))
    }
    let found = try derivative(f, isReverse: modes[1])(Tensor(1.3)).scalar
    let d = cubicRootDerivatives(1.3)
    #expect(abs(found - (d[1] + 1.3 * d[2])) <= 1e-12)
  }
}
