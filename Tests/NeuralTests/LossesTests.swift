import Autodiff
import Neural
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

  @Test("Refuses shapes that would broadcast")
  func shapes() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = meanSquaredError(Tensor.zeros([5, 1]), Tensor.zeros([5]))
    }
    expectMessage(result, "meanSquaredError: the prediction is [5, 1] and the target [5]")
  }
}
