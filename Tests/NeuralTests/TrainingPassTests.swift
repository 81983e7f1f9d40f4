import Autodiff
import GradientCheck
import Neural
import TestSupport
import Testing

/// A layer as a user writes it: y = w (x + noise − batch mean) in training, with the running mean
/// of the batches in evaluation.
private struct Centering: Layer {
  var weight = Tensor(2)
  var runningMean = Tensor(0)

  mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&weight, "weight") }
  mutating func visitState(_ visitor: inout TensorVisitor) {
    visitor.visit(&runningMean, "runningMean")
  }
  func callAsFunction(_ x: Tensor) -> Tensor { weight * (x - runningMean) }
  func callAsFunction(_ x: Tensor, _ pass: inout TrainingPass) -> Tensor {
    let noise = Tensor.uniform(x.shape, from: -0.1, to: 0.1, using: &pass.generator)
    pass.update(runningMean) { $0 + 0.5 * (x.mean() - $0) }
    return weight * tanh(x + noise - x.mean())
  }
}

/// Calls its parts in another order than it visits them.
private struct Crossed: Layer {
  var first = Centering()
  var second = Centering()

  mutating func visitTensors(_ visitor: inout TensorVisitor) {
    visitor.visit(&first, "first")
    visitor.visit(&second, "second")
  }
  mutating func visitState(_ visitor: inout TensorVisitor) {
    visitor.visitState(of: &first, "first")
    visitor.visitState(of: &second, "second")
  }
  func callAsFunction(_ x: Tensor) -> Tensor { first(second(x) + 1) }
  func callAsFunction(_ x: Tensor, _ pass: inout TrainingPass) -> Tensor {
    first(second(x, &pass) + 1, &pass)
  }
}

@Suite("TrainingPass")
struct TrainingPassTests {
  private let x = Tensor([1, 2, 6])

  private func pass(seed: UInt64 = 1) -> TrainingPass {
    var generator = PhiloxGenerator(seed: seed)
    return TrainingPass(using: &generator)
  }

  @Test("A pass captured by a gradient collects state, which the model adopts")
  func training() {
    var model = Crossed()
    var generator = PhiloxGenerator(seed: 1)
    for step in 1...3 {
      var pass = TrainingPass(using: &generator)
      let before = model.state
      let slope = gradient(at: model) { model in (model(x, &pass) * x).sum() }
      expectEqual(model.state, before)
      model.adopt(pass)
      // 3, halfway each step.
      expectClose(model.second.runningMean, [3 * (1 - pow(0.5, Double(step)))])
      #expect(abs(model.first.runningMean.scalar) > 0.1)
      #expect(slope.tensorPaths == ["first.weight", "second.weight"])
      #expect(slope.tensors.allSatisfy { $0.scalar != 0 })
    }
  }

  private func pow(_ base: Double, _ exponent: Double) -> Double {
    Autodiff.pow(Tensor(base), exponent).scalar
  }

  @Test("Under nested transforms it collects the same state, as a constant")
  func nested() throws {
    let model = Sequential([Centering(), Activation.tanh, Centering()])
    var plain = pass()
    _ = model(x, &plain)
    var expected = model
    expected.adopt(plain)

    // One forward pass below two levels.
    var nested = pass()
    _ = hvp(at: model, along: model) { model in (model(x, &nested) * x).sum() }
    var found = model
    found.adopt(nested)
    expectEqual(found.state, expected.state)

    // A copy of the pass inside: the function has one value, so both orders can be checked.
    let start = pass()
    var last = start
    try requireGradients(at: model, x) { model, x in
      var pass = start
      let y = model(x, &pass)
      last = pass
      return weighed(y)
    }
    #expect(last.generator.position == plain.generator.position)
    var inner = start
    _ = gradient(at: model) { model in
      let slope = gradient(at: model) { model in
        inner = start
        return weighed(model(x, &inner))
      }
      return slope.tensors.reduce(Tensor(0)) { $0 + ($1 * $1).sum() }
    }
    var again = model
    again.adopt(inner)
    expectEqual(again.state, expected.state)
  }

  @Test("A copy made inside lets a checkpoint repeat the same random numbers")
  func checkpoint() {
    let model = Sequential([Centering(), Activation.tanh, Centering()])
    let start = pass()
    let block = { (model: Sequential) -> Tensor in
      var pass = start
      return weighed(model(x, &pass))
    }
    let kept = gradient(at: model, of: block)
    let recomputed = gradient(at: model) { checkpointed(at: $0, of: block) }
    expectEqual(recomputed, kept)
  }

  @Test("A layer that is called twice updates its state twice")
  func repetition() {
    var model = Centering()
    var pass = pass()
    _ = model(x, &pass)
    _ = model(x + 1, &pass)
    model.adopt(pass)
    expectClose(model.runningMean, [0.5 * 1.5 + 0.5 * 4])
  }

  @Test("The random numbers are those of the generator, and move it on by one")
  func randomness() {
    let model = Centering()
    var generator = PhiloxGenerator(seed: 4)
    var (a, b) = (TrainingPass(using: &generator), TrainingPass(using: &generator))
    #expect(generator.position == 2)
    var repeated = a
    let y = model(x, &a)
    #expect(!model(x, &b).isBitwiseEqual(to: y))
    #expect(model(x, &repeated).isBitwiseEqual(to: y))
    #expect(!model(x, &repeated).isBitwiseEqual(to: y))
  }

  @Test("Layers without a training mode evaluate")
  func defaults() {
    var generator = PhiloxGenerator(seed: 5)
    let model = MLP(widths: [3, 2], isSpectrallyNormalized: true, using: &generator)
    var pass = pass()
    #expect(model(x, &pass).isBitwiseEqual(to: model(x)))
    var adopted = model
    adopted.adopt(pass)
    expectEqual(adopted.state, model.state)
  }

  @Test("Refuses a pass of another model, a second adoption, copies and other shapes")
  func refusals() async {
    let other = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      var pass = TrainingPass(using: &generator)
      _ = Crossed()(Tensor([1, 2]), &pass)
      var model = Crossed()
      model.adopt(pass)
    }
    expectMessage(other, "adopt: the pass changed a state of shape [] that this model does not")
    let twice = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      var pass = TrainingPass(using: &generator)
      var model = Crossed()
      _ = model(Tensor([1, 2]), &pass)
      model.adopt(pass)
      model.adopt(pass)
    }
    expectMessage(twice, "adopt a pass once, in the model that was called with it")
    let copies = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      var pass = TrainingPass(using: &generator)
      let layer = Centering()
      var model = Sequential([layer, Activation.tanh, layer])
      _ = model(Tensor([1, 2]), &pass)
      model.adopt(pass)
    }
    expectMessage(copies, "adopt: 0.runningMean and 2.runningMean are one tensor", "by itself")
    let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      var pass = TrainingPass(using: &generator)
      pass.update(Tensor([1, 2])) { _ in Tensor(0) }
    }
    expectMessage(shape, "TrainingPass: the new value of a state of [2] float64 is [] float64")
  }
}
