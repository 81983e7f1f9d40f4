import Autodiff
import Neural
import TestSupport
import Testing

@Suite("LayerState")
struct LayerStateTests {
  private let x = Tensor(rows: [[0.2, -0.4], [1.5, 0.3]])

  private func model(seed: UInt64) -> MLP {
    var generator = PhiloxGenerator(seed: seed)
    return MLP(widths: [2, 3, 1], isSpectrallyNormalized: true, using: &generator)
  }

  @Test("State has names beside those of the parameters")
  func names() {
    let model = Sequential([model(seed: 1), Activation.tanh])
    #expect(
      model.state.tensorPaths == [
        "0.0.leftVector", "0.0.rightVector", "0.2.leftVector", "0.2.rightVector",
      ])
    #expect(model.tensorPaths == ["0.0.weight", "0.0.bias", "0.2.weight", "0.2.bias"])
    #expect(model.state.tensors.map(\.shape) == [[2], [3], [3], [1]])
    #expect(Activation.relu.state.tensors.isEmpty)
  }

  @Test("Parameters and state together restore a model, in another one built alike")
  func restoration() {
    var (original, restored) = (model(seed: 1), model(seed: 2))
    original.tensors = original.tensors.map { $0 * 1.5 + 0.1 }
    original.updateState()
    restored.tensors = original.tensors
    #expect(!restored(x).isBitwiseEqual(to: original(x)))
    restored.state = original.state
    #expect(restored(x).isBitwiseEqual(to: original(x)))
    expectEqual(restored.state, original.state)
    expectEqual(restored, original)
  }

  @Test("Setting state leaves parameters and copies alone")
  func values() {
    let original = model(seed: 1)
    var copy = original
    copy.state.tensors = copy.state.tensors.map { $0 + 1 }
    expectEqual(copy, original)
    expectEqual(original, model(seed: 1))
    expectEqual(original.state, model(seed: 1).state)
    #expect(!copy.state.tensors[0].isBitwiseEqual(to: original.state.tensors[0]))
  }

  @Test("Refuses the state of another architecture and of other shapes")
  func refusals() async {
    let names = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      var model = MLP(widths: [2, 1], isSpectrallyNormalized: true, using: &generator)
      model.state = MLP(widths: [2, 1], using: &generator).state
    }
    expectMessage(names, "state: the layer's state is", "0.leftVector", "found []", "built alike")
    let shapes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      var model = MLP(widths: [2, 1], isSpectrallyNormalized: true, using: &generator)
      model.state = MLP(widths: [3, 1], isSpectrallyNormalized: true, using: &generator).state
    }
    expectMessage(shapes, "state: 0.leftVector is [2] float64, found [3] float64")
  }
}
