import Autodiff
import Testing
import TestSupport

/// tanh by code that automatic differentiation cannot see through.
private func opaqueTanh(_ x: Tensor) -> Tensor {
  let values = x.scalars.map { tanh(Tensor($0)).scalar }
  return Tensor(values, shape: x.shape)
}

/// A constant of a module, which Swift 6 allows only of what is `Sendable`.
private let doubled = CustomDerivative<Tensor, Tensor, Never>(
  name: "doubled", evaluate: { 2 * $0 }, jvp: { _, _, ẋ in 2 * ẋ })

private func scaled<Tree: TensorTree & Sendable>(
  by factor: Tensor, like tree: Tree
) -> CustomDerivative<Tree, Tree, Never> {
  CustomDerivative(
    name: "scaled", evaluate: { $0.mapTensors { factor * $0 } },
    vjp: { _, _, ȳ in ȳ.mapTensors { factor * $0 } })
}

@Suite("Custom derivatives")
struct CustomDerivativeTests {
  private let forwardRule = CustomDerivative<Tensor, Tensor, Never>(
    name: "opaqueTanh", evaluate: opaqueTanh, jvp: { _, y, ẋ in ẋ * (1 - y * y) })
  private let reverseRule = CustomDerivative<Tensor, Tensor, Never>(
    name: "opaqueTanh", evaluate: opaqueTanh, vjp: { _, y, ȳ in ȳ * (1 - y * y) })

  @Test("One rule gives both modes and every order", arguments: mixtures(order: 3))
  func everyOrder(isReverse: [Bool]) {
    let x = 0.4
    let t = tanh(Tensor(x)).scalar
    let expected = -2 * (1 - t * t) * (1 - 3 * t * t)
    for rule in [forwardRule, reverseRule] {
      var derivative: (Tensor) -> Tensor = { rule($0) }
      for step in isReverse {
        derivative = step ? reverseDerivative(derivative) : forwardDerivative(derivative)
      }
      #expect(isClose(derivative(Tensor(x)).scalar, expected))
    }
  }

  @Test("A rule of trees with a Jacobian that is not symmetric")
  func trees() {
    // (x, y) ↦ (x y, x²): J = [[y, x], [2x, 0]].
    let f = CustomDerivative<[Tensor], [Tensor], Never>(
      name: "pair", evaluate: { [$0[0] * $0[1], $0[0] * $0[0]] },
      vjp: { point, _, c in [c[0] * point[1] + 2 * c[1] * point[0], c[0] * point[0]] })
    let point = [Tensor(3), Tensor(5)]
    let (_, pullback) = vjp(at: point) { f($0) }
    #expect(pullback([Tensor(1), Tensor(10)]).map(\.scalar) == [65, 3])
    let tangent = jvp(at: point, along: [Tensor(1), Tensor(10)]) { f($0) }.tangent
    #expect(tangent.map(\.scalar) == [35, 6])
  }

  @Test("A function with its own derivative is shared by tasks, with what it captures")
  func sendable() async {
    let f = scaled(by: Tensor(3), like: [Tensor(0)])
    let slopes = await withTaskGroup(of: Double.self) { group in
      for index in 1...4 {
        group.addTask {
          gradient(at: [Tensor(Double(index))]) { doubled(f($0)[0] * $0[0]) }[0].scalar
        }
      }
      return await group.reduce(into: Set()) { $0.insert($1) }
    }
    // d/dx 2 · 3x · x = 12 x.
    #expect(slopes == [12, 24, 36, 48])
  }

  @Test("A failing rule throws")
  func failure() throws {
    struct NotConverged: Error {}
    let f = CustomDerivative<Tensor, Tensor, NotConverged>(
      name: "solver", evaluate: { x throws(NotConverged) in x },
      vjp: { _, _, _ throws(NotConverged) in throw NotConverged() })
    let (_, pullback) = try vjp(at: Tensor(1)) { x throws(NotConverged) in try f(x) }
    #expect(throws: NotConverged.self) { try pullback(Tensor(1)) }
    #expect(throws: NotConverged.self) {
      try jvp(at: Tensor(1), along: Tensor(1)) { x throws(NotConverged) in try f(x) }
    }
  }

  @Test(
    "Checkpointing changes no derivative and computes the function again", arguments: [1, 2, 3])
  func checkpoints(order: Int) {
    var runs = 0
    let block = { (x: Tensor) -> Tensor in
      runs += 1
      return tanh(x * x) * exp(-x)
    }
    for modes in mixtures(order: order) {
      var plain: (Tensor) -> Tensor = block
      var checkpointedBlock: (Tensor) -> Tensor = { checkpointed(at: $0, of: block) }
      for isReverse in modes {
        plain = isReverse ? reverseDerivative(plain) : forwardDerivative(plain)
        checkpointedBlock =
          isReverse ? reverseDerivative(checkpointedBlock) : forwardDerivative(checkpointedBlock)
      }
      #expect(isClose(checkpointedBlock(Tensor(0.8)).scalar, plain(Tensor(0.8)).scalar))
    }
    runs = 0
    _ = gradient(at: Tensor(0.8)) { checkpointed(at: $0, of: block) }
    #expect(runs == 2)
  }

  @Test("A checkpointed closure may capture tensors of outer levels")
  func capturedOuterLevel() {
    // ∂/∂w ∂/∂x (w x²) = 2 x.
    let slope = gradient(at: Tensor(5)) { w in
      gradient(at: Tensor(3)) { x in checkpointed(at: x) { x in w * x * x } }
    }
    #expect(slope.scalar == 6)
  }
}
