import Autodiff
import Neural
import Testing

@Suite("Convolutional training")
struct ConvolutionalTrainingTests {
  /// Noisy images of 8 × 8 with one bar: across in class 0, upright in class 1.
  private func images(
    _ count: Int, using generator: inout PhiloxGenerator
  ) -> (images: Tensor, labels: Tensor) {
    let noise = Tensor.normal([count, 8, 8, 1], standardDeviation: 0.4, using: &generator)
    let labels = Tensor.integers([count], in: 0..<2, using: &generator)
    let places = Tensor.integers([count], in: 0..<8, using: &generator)
    let bars = Tensor.oneHot(places, depth: 8)
    let across = bars.reshaped(to: [count, 8, 1, 1]).broadcast(to: [count, 8, 8, 1])
    let upright = bars.reshaped(to: [count, 1, 8, 1]).broadcast(to: [count, 8, 8, 1])
    let isUpright = labels.reshaped(to: [count, 1, 1, 1]) .== Tensor(indices: [1])
    return (noise + select(isUpright, upright, across), labels)
  }

  private func network(using generator: inout PhiloxGenerator) -> Sequential {
    Sequential {
      Convolution2D(
        inputChannels: 1, outputChannels: 6, kernel: 3, padding: .same, bias: nil,
        using: &generator)
      BatchNorm(featureCount: 6)
      Activation.relu
      Pooling2D(.maximum, kernel: 2)
      Convolution2D(inputChannels: 6, outputChannels: 8, kernel: 3, bias: nil, using: &generator)
      BatchNorm(featureCount: 8)
      Activation.relu
      GlobalAveragePooling()
      Dropout(probability: 0.2)
      Dense(inputSize: 8, outputSize: 2, using: &generator)
    }
  }

  private func trained() -> (model: Sequential, accuracy: Double) {
    var generator = PhiloxGenerator(seed: 11)
    let (x, labels) = images(256, using: &generator)
    var model = network(using: &generator)
    var optimizer = Adam(learningRate: 1e-2)
    for _ in 0..<12 {
      for indices in Batches(count: 256, batchSize: 32, shuffledUsing: &generator) {
        let (rows, targets) = (
          x.gathering(indices, alongAxis: 0), labels.gathering(indices, alongAxis: 0)
        )
        var pass = TrainingPass(using: &generator)
        let slope = gradient(at: model) { model in
          Losses.softmaxCrossEntropy(model(rows, &pass), labels: targets).mean()
        }
        model.adopt(pass)
        optimizer.update(&model, along: slope)
      }
    }
    let (test, truth) = images(400, using: &generator)
    let isRight = model(test).argmax(alongAxis: 1) .== truth
    return (model, isRight.cast(to: .float64).mean().scalar)
  }

  @Test("A network with batch normalisation and dropout learns to tell bars apart, reproducibly")
  func learning() {
    let (model, accuracy) = trained()
    #expect(accuracy > 0.95)
    #expect(model.state.tensorPaths.count == 4)
    let again = trained()
    #expect(again.accuracy == accuracy)
    expectEqual(again.model, model)
    expectEqual(again.model.state, model.state)
  }
}
