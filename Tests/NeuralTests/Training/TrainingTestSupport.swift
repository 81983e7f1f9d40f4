import Autodiff
import Neural

/// One number w with y = w x: with the loss w and the rate 1, step t ends at w = −t.
struct Number: Layer {
  var w = Tensor(0)
  var value: Double { w.scalar }

  mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&w, "w") }
  func callAsFunction(_ x: Tensor) -> Tensor { w * x }

  /// A run with the loss mean(w x) over rows x, one column of numbers.
  static func training(
    rows: [Double], batchSize: Int, rate: Double = 1, seed: UInt64 = 1
  ) -> Training<Number, Tensor> {
    Training(
      Number(), optimizer: SGD(learningRate: rate), rows: Tensor(rows), batchSize: batchSize,
      seed: seed
    ) { model, batch, _ in model(batch).mean() }
  }
}
