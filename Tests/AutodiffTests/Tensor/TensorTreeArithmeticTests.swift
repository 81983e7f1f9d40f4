import Autodiff
import GradientCheck
import TestSupport
import Testing

private struct Model: TensorTree {
  var weight: Tensor
  var bias: Tensor?
  var order: Tensor
  var scales: [String: Tensor]

  init(_ weight: [Double], bias: Double?, order: [Int] = [1, 0], scale: Double) {
    self.weight = Tensor(weight)
    self.bias = bias.map { Tensor($0) }
    self.order = Tensor(indices: order)
    scales = ["s": Tensor([scale, scale])]
  }
}

/// One step of gradient descent on any tree, as a user writes it.
private func step<Tree: TensorTree>(_ x: Tree, rate: Double, _ slope: Tree) -> Tree {
  x - rate * slope
}

private func sum<Tree: TensorTree>(_ a: Tree, _ b: Tree) -> Tree { a + b }

@Suite("Arithmetic on trees")
struct TensorTreeArithmeticTests {
  private let a = Model([1, -2], bias: 3, scale: 0.5)
  private let b = Model([10, 20], bias: 30, order: [7, 9], scale: 40)

  private func numbers(_ tree: some TensorTree) -> [[Double]] { tree.tensors.map(\.scalars) }

  @Test("Sums, differences, negatives and products with numbers keep integers")
  func operators() {
    let order: [Double] = [1, 0]
    #expect(numbers(a + b) == [[11, 18], [33], order, [40.5, 40.5]])
    #expect(numbers(a - b) == [[-9, -22], [-27], order, [-39.5, -39.5]])
    #expect(numbers(-a) == [[-1, 2], [-3], order, [-0.5, -0.5]])
    #expect(numbers(2 * a) == [[2, -4], [6], order, [1, 1]])
    #expect(numbers(a * 2) == numbers(2 * a))
    #expect(numbers(a / 2) == [[0.5, -1], [1.5], order, [0.25, 0.25]])
    #expect(numbers(Tensor([2]) * a) == numbers(2 * a))
    #expect(numbers(a * Tensor(2)) == numbers(2 * a))
    var c = a
    c += b
    c -= 2 * b
    #expect(numbers(c) == numbers(a - b))
  }

  @Test("A step of gradient descent on a struct, on an array, on a tensor, in a generic function")
  func descent() {
    let slope = gradient(at: a, unused: .zero) { square($0.weight).sum() }
    #expect(numbers(a - 0.1 * slope) == [[0.8, -1.6], [3], [1, 0], [0.5, 0.5]])
    #expect(numbers(step(a, rate: 0.1, slope)) == numbers(a - 0.1 * slope))
    let list = [Tensor(1), Tensor([2, 3])]
    #expect(numbers(list - 0.5 * list) == [[0.5], [1, 1.5]])
    #expect(numbers(step(list, rate: 0.5, list)) == [[0.5], [1, 1.5]])
    #expect(step(Tensor(3), rate: 2, Tensor(1)).scalar == 1)
    // Swift's + of arrays joins them; a generic function of trees adds.
    #expect((list + list).count == 4)
    #expect(numbers(sum(list, list)) == [[2], [4, 6]])
  }

  @Test("Inner product and norm of all floating-point elements")
  func products() {
    // 10 − 40 + 90 + 0.5 · 40 · 2 = 100.
    #expect(dot(a, b).scalar == 100)
    // 1 + 4 + 9 + 0.5 = 14.5.
    #expect(abs(a.norm().scalar - 14.5.squareRoot()) < 1e-15)
    #expect(dot(Tensor([1, 2]), Tensor([3, 4])).scalar == 11)
    let huge = ["a": Tensor([3e200]), "b": Tensor([4e200])]
    #expect(abs(huge.norm().scalar / 5e200 - 1) < 1e-15)
    let mixed = [Tensor([3], shape: [1]).cast(to: .float32), Tensor([4])]
    #expect(mixed.norm().scalarType == .float64)
    #expect(mixed.norm().scalar == 5)
  }

  @Test("Empty and degenerate trees")
  func degenerate() {
    let nothing: [Tensor] = []
    #expect((nothing - nothing).isEmpty)
    #expect(dot(nothing, nothing).scalar == 0)
    #expect(nothing.norm().scalar == 0)
    let indices = ["i": Tensor(indices: [1, 2])]
    #expect(indices.norm().scalar == 0)
    #expect(numbers(indices - indices) == [[1, 2]])
    let empty = ["e": Tensor.zeros([0, 3])]
    #expect((empty - empty).norm().scalar == 0)
    let zero = ["a": Tensor.zeros([2]), "b": Tensor([0])]
    #expect(numbers(gradient(at: zero) { $0.norm() }) == [[0, 0], [0]])
  }

  @Test("Everything is differentiable to second order, at zero leaves too")
  func derivatives() throws {
    let rate = Tensor(0.3)
    try requireGradients(at: a, b, rate) { a, b, rate in a - rate * b }
    try requireGradients(at: a, b) { a, b in dot(a + b, -a / 3) + (a * 2).norm() }
    // The norm of all is smooth where one leaf is zero: a norm of norms would not be.
    let point = ["a": Tensor([0, 0]), "b": Tensor([2])]
    try requireGradients(at: point) { $0.norm() }
    let second = hvp(at: point, along: ["a": Tensor([1, 0]), "b": Tensor([0])]) { $0.norm() }
    #expect(numbers(second) == [[0.5, 0], [0]])
  }

  @Test("Trees that do not correspond are refused, nothing broadcasts")
  func refusals() async {
    func expect(_ result: ExitTest.Result?, _ part: String) {
      let text = errorText(result)
      #expect(text.contains(part), "“\(part)” is not in: \(text)")
    }
    let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ["w": Tensor([1, 2])] - ["w": Tensor(1)]
    }
    expect(shape, "-: the right operand of w is [] float64, expected [2] float64")
    let path = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = dot(["a": Tensor(1), "b": Tensor(2)], ["a": Tensor(1), "c": Tensor(2)])
    }
    expect(path, "dot: the right operand has a tensor c where b is expected")
    let count = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Model([1, 2], bias: nil, scale: 1) + Model([1, 2], bias: 3, scale: 1)
    }
    expect(count, "+: the right operand has 4 tensors, expected 3")
    let factor = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1, 2]) * Model([1, 2], bias: nil, scale: 1)
    }
    expect(factor, "*: a tree is scaled by a floating-point tensor of one element, found [2]")
  }
}
