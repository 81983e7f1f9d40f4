import Autodiff
import GradientCheck
import Neural
import TestSupport
import Testing

@Suite("Losses")
struct LossesTests {
  private let prediction = Tensor([1, 2, 3, 4], shape: [2, 2])
  private let target = Tensor([1, 0, 5, 3], shape: [2, 2])

  @Test("The mean squared error and its gradient 2 (prediction − target) / n")
  func meanSquares() {
    let (value, slope) = valueWithGradient(at: prediction) { meanSquaredError($0, target) }
    #expect(value.scalar == 2.25)
    #expect(slope.scalars == [0, 1, -1, 0.5])
    expectDerivatives(at: prediction) { meanSquaredError($0, target) }
  }

  @Test("Squares are summed over the outputs of a row")
  func squares() throws {
    #expect(Losses.squared(prediction, target).scalars == [4, 5])
    #expect(Losses.squared(prediction.flattened(), target.flattened()).scalars == [0, 4, 4, 1])
    let deep = Losses.squared(
      prediction.reshaped(to: [2, 1, 2]), target.reshaped(to: [2, 1, 2]))
    #expect(deep.scalars == [4, 5])
    #expect(Losses.squared(Tensor.zeros([0, 3]), Tensor.zeros([0, 3])).shape == [0])
    try requireGradients(at: prediction, target) { Losses.squared($0, $1) }
  }

  @Test("Every loss of rows is a loss of one row at a time")
  func rows() {
    var generator = PhiloxGenerator(seed: 6)
    let v = Tensor.normal([5, 3], using: &generator)
    let y = Tensor.uniform([5, 3], using: &generator)
    let losses: [(Tensor, Tensor) -> Tensor] = [
      Losses.squared, Losses.logistic, { Losses.huber($0, $1, delta: 0.5) },
      { Losses.quantile($0, $1, level: 0.3) },
      { Losses.smoothedQuantile($0, $1, level: 0.3, bandwidth: 0.2) },
      { Losses.softmaxCrossEntropy($0, probabilities: $1.softmax()) },
    ]
    for loss in losses {
      let whole = loss(v, y)
      #expect(whole.shape == [5])
      for row in 0..<5 {
        let one = loss(v.slice(row..<row + 1, alongAxis: 0), y.slice(row..<row + 1, alongAxis: 0))
        expectClose(one, [whole[row].scalar])
      }
    }
  }

  @Test("Refuses shapes that would broadcast, and scalars")
  func shapes() async {
    let mean = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = meanSquaredError(Tensor.zeros([5, 1]), Tensor.zeros([5]))
    }
    expectMessage(mean, "meanSquaredError: the prediction is [5, 1] and the target [5]")
    let rows = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Losses.huber(Tensor.zeros([5, 1]), Tensor.zeros([5]), delta: 1)
    }
    expectMessage(rows, "huber: the prediction is [5, 1] and the target [5]")
    let scalar = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Losses.squared(Tensor(1), Tensor(2))
    }
    expectMessage(scalar, "squared: expected a prediction [n, …] with rows, found a scalar")
  }
}
