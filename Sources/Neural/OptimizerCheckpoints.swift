import Autodiff
import TensorFiles

// The state of an optimiser is empty before its first step and grows then, so it is read with the
// structure the file has. Its settings are remembered too: a schedule may have changed them.

extension AdamMoments: Checkpointable {
  public mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&stepCount, "stepCount")
    visitor.visit(growing: &first, "first")
    visitor.visit(growing: &second, "second")
    visitor.require(stepCount >= 0, "a count of steps cannot be \(stepCount)")
    visitor.require(
      first.count == second.count
        && zip(first, second).allSatisfy {
          $0.shape == $1.shape && $0.scalarType == $1.scalarType
        }, "the averages of the gradient and of its square are not of the same tensors")
  }
}

extension Adam: Checkpointable {
  public mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&learningRate, "learningRate")
    visitor.visit(&beta1, "beta1")
    visitor.visit(&beta2, "beta2")
    visitor.visit(&epsilon, "epsilon")
    visitor.visit(&weightDecay, "weightDecay")
    visitor.visit(&moments, "moments")
  }
}

extension AdamW: Checkpointable {
  public mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&learningRate, "learningRate")
    visitor.visit(&beta1, "beta1")
    visitor.visit(&beta2, "beta2")
    visitor.visit(&epsilon, "epsilon")
    visitor.visit(&weightDecay, "weightDecay")
    visitor.visit(&moments, "moments")
  }
}

extension SGD: Checkpointable {
  public mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&learningRate, "learningRate")
    visitor.visit(&momentum, "momentum")
    visitor.visit(&isNesterov, "isNesterov")
    visitor.visit(&weightDecay, "weightDecay")
    visitor.visit(growing: &velocities, "velocities")
  }
}
