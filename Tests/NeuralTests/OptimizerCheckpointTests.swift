import Autodiff
import Foundation
import Neural
import TensorFiles
import Testing

private struct Run<Rule: Optimizer & Checkpointable>: Checkpointable {
  var weight = Tensor([1, -2, 3] as [Float])
  var rule: Rule
  var generator = PhiloxGenerator(seed: 5)

  mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&weight, "weight")
    visitor.visit(&rule, "rule")
    visitor.visit(&generator, "generator")
  }

  mutating func step() {
    let noise = Tensor((0..<3).map { _ in Float.random(in: 0..<1, using: &generator) })
    let slope = gradient(at: weight) { w in (square(w) * noise).sum() }
    rule.update(&weight, along: slope)
    rule.learningRate *= 0.9
  }
}

@Suite("Checkpoints of optimisers") struct OptimizerCheckpointTests {
  /// A run that is stopped and continued in another value gives the bits of one that is not.
  private func requireSameBits(_ rule: some Optimizer & Checkpointable) throws {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "adjoint-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    for stop in [0, 3] {
      var whole = Run(rule: rule)
      for _ in 0..<stop { whole.step() }
      try whole.writeCheckpoint(to: path)
      // The reader has taken steps of its own, which must leave no trace.
      var continued = Run(rule: rule)
      for _ in 0..<2 { continued.step() }
      try continued.readCheckpoint(from: path)
      for _ in 0..<4 {
        whole.step()
        continued.step()
        #expect(continued.weight.isBitwiseEqual(to: whole.weight))
      }
    }
  }

  @Test("Adam goes on from its checkpoint to the same bits") func adam() throws {
    try requireSameBits(Adam(learningRate: 0.1, weightDecay: 0.01))
  }

  @Test("AdamW goes on from its checkpoint to the same bits") func adamW() throws {
    try requireSameBits(Adam(learningRate: 0.1, weightDecay: 1e-2, isDecayDecoupled: true))
  }

  @Test("SGD goes on from its checkpoint to the same bits") func sgd() throws {
    try requireSameBits(SGD(learningRate: 0.1))
    try requireSameBits(SGD(learningRate: 0.1, momentum: 0.9, isNesterov: true))
  }
}
