import Autodiff
import GradientCheck
import Neural
import TestSupport
import Testing

@Suite("Dropout")
struct DropoutTests {
  private func pass(seed: UInt64 = 1) -> TrainingPass {
    var generator = PhiloxGenerator(seed: seed)
    return TrainingPass(using: &generator)
  }

  @Test("Drops by the uniform numbers of the pass and scales the rest, in both scalar types")
  func mask() {
    let layer = Dropout(probability: 0.3)
    for type in [ScalarType.float32, .float64] {
      let x = Tensor.range(24, type).reshaped(to: [4, 6]) + 1
      var pass = pass()
      var generator = pass.generator
      let numbers = Tensor.uniform([4, 6], using: &generator).scalars
      let expected = zip(numbers, x.scalars).map { $0 < 0.3 ? 0 : $1 / 0.7 }
      #expect(expected.contains(0) && !expected.allSatisfy { $0 == 0 })
      let y = layer(x, &pass)
      expectClose(y, expected, tolerance: type == .float32 ? 1e-6 : 1e-15)
      #expect(y.scalarType == type)
      #expect(pass.generator.position == generator.position)
      #expect(!layer(x, &pass).isBitwiseEqual(to: y))
    }
  }

  @Test("Keeps the mean: a share p is dropped, within five standard errors")
  func mean() {
    var pass = pass(seed: 3)
    let y = Dropout(probability: 0.2)(Tensor.ones([100_000]), &pass)
    let dropped = (y .== 0).cast(to: .float64).mean().scalar
    #expect(abs(dropped - 0.2) < 5 * (0.16 / 100_000).squareRoot())
    expectClose(y.max(), [1.25])
  }

  @Test("Evaluates to the identity, as does probability 0")
  func identity() {
    let x = Tensor([1, -2, 3])
    #expect(Dropout(probability: 0.9)(x).isBitwiseEqual(to: x))
    var pass = pass()
    #expect(Dropout(probability: 0)(x, &pass).isBitwiseEqual(to: x))
  }

  @Test("The mask is constant for derivatives of both orders")
  func derivatives() throws {
    var generator = PhiloxGenerator(seed: 2)
    let x = Tensor.normal([3, 4], using: &generator)
    let model = Sequential {
      Dense(inputSize: 4, outputSize: 5, using: &generator)
      Activation.tanh
      Dropout(probability: 0.4)
      Dense(inputSize: 5, outputSize: 2, using: &generator)
    }
    let start = pass()
    try requireGradients(at: model, x) { model, x in
      var pass = start
      return weighed(model(x, &pass))
    }
    var pass = start
    let slope = gradient(at: x) { Dropout(probability: 0.4)($0, &pass).sum() }
    #expect(slope.scalars.allSatisfy { $0 == 0 || abs($0 - 1 / 0.6) < 1e-15 })
  }

  @Test("Refuses probabilities outside [0, 1)")
  func refusal() async {
    let one = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Dropout(probability: 1)
    }
    expectMessage(one, "Dropout: expected a probability in [0, 1), found 1.0")
    let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Dropout(probability: -0.1)
    }
    expectMessage(negative, "Dropout: expected a probability in [0, 1), found -0.1")
    let missing = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Dropout(probability: .nan)
    }
    expectMessage(missing, "Dropout: expected a probability in [0, 1), found nan")
  }
}
