import Autodiff
import Testing

private struct Affine: TensorTree {
  var weight: Tensor
  private(set) var bias: Tensor?
  let scales: [String: Tensor]
}

private struct Pair<A: TensorTree, B: TensorTree>: TensorTree {
  let first: A
  var second: B
}

private struct Deep: TensorTree {
  var count = 3
  var name = "deep"
  var layers: [Affine]
  private var inner: Pair<Tensor, [Tensor]>
  var activation: @Sendable (Tensor) -> Tensor = { tanh($0) }
  @Constant var mask = Tensor([1, 0])
  let fixed = Constant(wrappedValue: Tensor(7))

  init(layers: [Affine], inner: Pair<Tensor, [Tensor]>) {
    self.layers = layers
    self.inner = inner
  }

  var sum: Tensor { inner.first + inner.second.reduce(Tensor(0)) { $0 + $1 } }
}

private enum Choice: TensorTree {
  case none
  case one(Tensor)
  case two(Tensor, Tensor)

  mutating func visitTensors(_ visitor: inout TensorVisitor) {
    switch self {
    case .none: break
    case .one(var a):
      visitor.visit(&a, "a")
      self = .one(a)
    case .two(var a, var b):
      visitor.visit(&a, "a")
      visitor.visit(&b, "b")
      self = .two(a, b)
    }
  }
}

private enum Activation: TensorTree { case tanh, relu }

/// Structs that are trees by saying so: their stored properties are the leaves.
@Suite("Trees without a visit of their own")
struct TensorTreeTests {
  private let affine = Affine(
    weight: Tensor([1, 2]), bias: Tensor(3), scales: ["b": Tensor(5), "a": Tensor(4)])

  @Test("Leaves are the stored properties in order, private and let ones too")
  func leaves() {
    #expect(affine.tensorPaths == ["weight", "bias", "scales.a", "scales.b"])
    #expect(affine.tensors.map(\.scalars) == [[1, 2], [3], [4], [5]])
    let without = Affine(weight: Tensor(1), bias: nil, scales: [:])
    #expect(without.tensorPaths == ["weight"])
  }

  @Test("Nested structs, arrays and generics; constants and other types are no leaves")
  func nested() {
    let deep = Deep(
      layers: [affine, affine],
      inner: Pair(first: Tensor(8), second: [Tensor(9), Tensor(10)]))
    #expect(
      deep.tensorPaths == [
        "layers.0.weight", "layers.0.bias", "layers.0.scales.a", "layers.0.scales.b",
        "layers.1.weight", "layers.1.bias", "layers.1.scales.a", "layers.1.scales.b",
        "inner.first", "inner.second.0", "inner.second.1",
      ])
    let doubled = deep.mapTensors { $0 * 2 }
    #expect(doubled.tensors.map(\.scalars).last == [20])
    #expect(doubled.layers[1].scales["b"]?.scalar == 10)
    #expect(doubled.mask.scalars == [1, 0])
    #expect(doubled.fixed.wrappedValue.scalar == 7)
    #expect(deep.tensors.last?.scalar == 10, "a copy was changed through its original")
  }

  @Test("Gradients reach let properties")
  func gradients() {
    let pair = Pair(first: Tensor(2), second: affine)
    let slope = gradient(at: pair) { pair in
      pair.first * pair.second.weight.sum() * (pair.second.bias ?? Tensor(0))
        * (pair.second.scales["a"] ?? Tensor(0)) * (pair.second.scales["b"] ?? Tensor(0))
    }
    // 2 · (1 + 2) · 3 · 4 · 5 = 360.
    #expect(slope.first.scalar == 180)
    #expect(slope.second.weight.scalars == [120, 120])
    #expect(slope.second.bias?.scalar == 120)
    #expect(slope.second.scales["a"]?.scalar == 90)
    #expect(slope.second.scales["b"]?.scalar == 72)
  }

  @Test("Enums: none to visit without tensors, each case by its own visit with them")
  func enums() {
    #expect(Activation.tanh.tensors.isEmpty)
    #expect(Choice.none.tensors.isEmpty)
    #expect(Choice.two(Tensor(1), Tensor(2)).tensorPaths == ["a", "b"])
    #expect(Choice.one(Tensor(4)).mapTensors { $0 * 2 }.tensors[0].scalar == 8)
    #expect(Pair(first: Choice.one(Tensor(4)), second: Activation.relu).tensorPaths == ["first.a"])
  }

  @Test("A constant keeps the conformances of its value, and may be changed")
  func constants() {
    var one = Constant(wrappedValue: 3)
    #expect(one == Constant(wrappedValue: 3))
    one.wrappedValue = 4
    #expect(Set([one, Constant(wrappedValue: 4)]).count == 1)
  }

  @Test("The first visits of one type on many threads")
  func threads() async {
    struct Fresh<A: TensorTree & Sendable>: TensorTree, Sendable {
      var a: A
      var b: Tensor?
    }
    // Types that nothing has visited before, nested to any depth.
    func check(_ tree: some TensorTree & Sendable, depth: Int) async {
      guard depth > 0 else { return }
      let counts = await withTaskGroup(of: Int.self) { group in
        for _ in 0..<8 { group.addTask { tree.tensors.count } }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(Set(counts).count == 1)
      await check(Fresh(a: tree, b: Tensor(1)), depth: depth - 1)
    }
    await check(Tensor(1), depth: 20)
  }
}
