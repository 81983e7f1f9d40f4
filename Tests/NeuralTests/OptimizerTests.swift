import Autodiff
import Neural
import TestSupport
import Testing

/// What the optimiser tests share: the quadratic whose gradient the reference runs used,
/// g(w, t) = A w + t c, and a model with a name, an index tensor and a nested layer.
enum OptimizerFixture {
  static let start = Tensor([1, -2, 0.5])

  static func gradient(_ w: Tensor, step: Int) -> Tensor {
    let a = Tensor(
      rows: [[2, 0.5, 0], [0.5, 1, -0.25], [0, -0.25, 3]])
    let c = Tensor([0.1, -0.2, 0.3])
    return (matmul(a, w.cast(to: .float64)) + Double(step) * c).cast(to: w.scalarType)
  }

  /// The parameters after each of the first `count` steps.
  static func run(
    _ optimizer: some Optimizer, count: Int = 5, _ type: ScalarType = .float64
  ) -> [Tensor] {
    var (optimizer, w) = (optimizer, start.cast(to: type))
    return (1...count).map { step in
      optimizer.update(&w, along: gradient(w, step: step))
      return w
    }
  }

  /// Expects the parameters after steps 1, 3 and 5, in float64 and in float32.
  static func expect(
    _ optimizer: some Optimizer, _ expected: [[Double]],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let double = run(optimizer)
    let single = run(optimizer, .float32)
    for (index, values) in zip([0, 2, 4], expected) {
      expectClose(double[index], values, tolerance: 1e-14, sourceLocation: sourceLocation)
      expectClose(single[index], values, tolerance: 2e-6, sourceLocation: sourceLocation)
    }
  }
}

private struct Indexed: TensorTree {
  var indices: Tensor
  var dense: Dense
  mutating func visitTensors(_ visitor: inout TensorVisitor) {
    visitor.visit(&indices, "indices")
    visitor.visit(&dense, "dense")
  }
}

@Suite("Optimizer")
struct OptimizerTests {
  private static let optimizers: [any Optimizer] = [
    SGD(learningRate: 0.1, momentum: 0.9, isNesterov: true, weightDecay: 0.1),
    Adam(learningRate: 0.1, weightDecay: 0.1),
    Adam(learningRate: 0.1, weightDecay: 1e-2, isDecayDecoupled: true),
  ]

  @Test("Leaves indices alone and updates every other leaf", arguments: 0..<3)
  func integers(_ index: Int) {
    var optimizer = Self.optimizers[index]
    var generator = PhiloxGenerator(seed: 1)
    var model = Indexed(
      indices: Tensor(indices: [2, 0]),
      dense: Dense(inputSize: 3, outputSize: 2, using: &generator))
    let before = model
    for _ in 0..<2 {
      let slope = gradient(at: model, unused: .zero) { weighed($0.dense(Tensor.ones([2, 3]))) }
      optimizer.update(&model, along: slope)
    }
    #expect(model.indices.isBitwiseEqual(to: before.indices))
    for (after, before) in zip(model.dense.tensors, before.dense.tensors) {
      #expect((after .!= before).allTrue)
    }
  }

  @Test("Copies are independent: an optimiser and its copy continue alike", arguments: 0..<3)
  func values(_ index: Int) {
    var optimizer = Self.optimizers[index]
    var w = OptimizerFixture.start
    optimizer.update(&w, along: OptimizerFixture.gradient(w, step: 1))
    var (copy, copiedW) = (optimizer, w)
    for step in 2...3 {
      optimizer.update(&w, along: OptimizerFixture.gradient(w, step: step))
    }
    for step in 2...3 {
      copy.update(&copiedW, along: OptimizerFixture.gradient(copiedW, step: step))
    }
    #expect(w.isBitwiseEqual(to: copiedW))
  }

  @Test("The learning rate may change between steps", arguments: 0..<3)
  func schedule(_ index: Int) {
    var optimizer = Self.optimizers[index]
    var w = OptimizerFixture.start
    optimizer.update(&w, along: OptimizerFixture.gradient(w, step: 1))
    let before = w
    optimizer.learningRate = 0
    optimizer.update(&w, along: OptimizerFixture.gradient(w, step: 2))
    #expect(w.isBitwiseEqual(to: before))
  }

  @Test("An unrolled run can be differentiated", arguments: 0..<3)
  func unrolled(_ index: Int) {
    expectDerivatives(at: OptimizerFixture.start, tolerance: 1e-7) { start in
      var (optimizer, w) = (Self.optimizers[index], start)
      for step in 1...3 {
        optimizer.update(&w, along: OptimizerFixture.gradient(w, step: step))
      }
      return weighed(w)
    }
  }

  @Test("Refuses a gradient that does not fit, naming the leaf")
  func shapes() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      var model = MLP(widths: [2, 3, 1], using: &generator)
      var slope = model
      slope.tensors[3] = Tensor.zeros([1], .float32)
      var optimizer = SGD(learningRate: 0.1)
      optimizer.update(&model, along: slope)
    }
    expectMessage(
      result, "SGD: 2.bias is [1] float64, but its part of the gradient is [1] float32")
  }

  @Test("Refuses a gradient with another number of leaves")
  func counts() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var model = [Tensor(1), Tensor(2)]
      var optimizer = Adam(weightDecay: 1e-2, isDecayDecoupled: true)
      optimizer.update(&model, along: [Tensor(1)])
    }
    expectMessage(result, "Adam: the model has 2 tensors and the gradient has 1")
  }

  @Test("Refuses state that belongs to another model")
  func otherModel() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var optimizer = Adam()
      var (first, second) = (Tensor([1, 2]), Tensor([1, 2, 3]))
      optimizer.update(&first, along: first)
      optimizer.update(&second, along: second)
    }
    expectMessage(
      result, "Adam: the parameter is [3] float64, but its part of the optimizer's state is [2]")
  }
}
