import Autodiff
import Neural
import TensorFiles

/// Everything that an outer loop over a functional problem must remember to continue to the same
/// bits: networks, optimisers, random numbers, counters.
///
///     try training.snapshot.writeCheckpoint(to: path)
///     // … in another process, with a loop made in the same way
///     var snapshot = training.snapshot
///     try snapshot.readCheckpoint(from: path)
///     training.restore(snapshot)
public struct FunctionalSnapshot<Outer: TensorTree>: Checkpointable {
  var outer: Outer
  /// What the outer network holds besides parameters; empty where it is no network.
  var outerState: [Tensor]
  var outerOptimizer: any Optimizer
  var stepCount: Int
  var prediction: FunctionalState.Learner
  /// nil for methods that train no adjoint.
  var adjoint: FunctionalState.Learner?
  /// nil for all but the value-function method.
  var auxiliary: FunctionalState.Learner?
  var generator: PhiloxGenerator
  var auxiliaryGenerator: PhiloxGenerator
  /// Where the next adjoint solve of the implicit method starts: no tensor or one.
  var adjointStart: [Tensor]

  public mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&outer, "outer")
    visitor.visit(&outerState, "outerState")
    visitor.visit(&outerOptimizer, "outerOptimizer")
    visitor.visit(&stepCount, "stepCount")
    visitor.visit(&prediction, "prediction")
    if var learner = adjoint {
      visitor.visit(&learner, "adjoint")
      adjoint = learner
    }
    if var learner = auxiliary {
      visitor.visit(&learner, "auxiliary")
      auxiliary = learner
    }
    visitor.visit(&generator, "generator")
    visitor.visit(&auxiliaryGenerator, "auxiliaryGenerator")
    visitor.visit(growing: &adjointStart, "adjointStart")
    visitor.require(adjointStart.count <= 1, "one start of the adjoint solve was expected")
  }
}

extension FunctionalState.Learner: Checkpointable {
  package mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&network, "network")
    var state = network.state
    visitor.visit(&state, "state")
    network.state = state
    visitor.visit(&optimizer, "optimizer")
    visitor.visit(&stepCount, "stepCount")
    var slope = firstSlope.map { [$0] } ?? []
    visitor.visit(&slope, "firstSlope")
    visitor.require(slope.count <= 1, "one norm of the first gradient was expected")
    firstSlope = slope.first
  }
}

extension OuterTraining {
  /// The loop's state between two steps.
  public var snapshot: FunctionalSnapshot<Outer> {
    var auxiliaryLearner: FunctionalState.Learner?
    if case .valueFunction = method {
      auxiliaryLearner = auxiliary.prediction ?? problem.initialLearner
    }
    return FunctionalSnapshot(
      outer: outer, outerState: layerState.read(outer), outerOptimizer: outerOptimizer,
      stepCount: stepCount, prediction: state.prediction ?? problem.initialLearner,
      adjoint: state.adjoint ?? initialAdjoint, auxiliary: auxiliaryLearner,
      generator: state.generator, auxiliaryGenerator: auxiliary.generator,
      adjointStart: warmStart.adjoint.map { [$0] } ?? [])
  }

  /// Goes on from a snapshot of a loop made in the same way.
  public func restore(_ snapshot: FunctionalSnapshot<Outer>) {
    outer = snapshot.outer
    layerState.write(&outer, snapshot.outerState)
    outerOptimizer = snapshot.outerOptimizer
    stepCount = snapshot.stepCount
    state.prediction = snapshot.prediction
    state.adjoint = snapshot.adjoint
    auxiliary.prediction = snapshot.auxiliary
    state.generator = snapshot.generator
    auxiliary.generator = snapshot.auxiliaryGenerator
    warmStart.adjoint = snapshot.adjointStart.first
  }

  /// The adjoint network before its first step, for a method that trains one.
  private var initialAdjoint: FunctionalState.Learner? {
    guard case .functional(.trained(let networkClass)) = method,
      case .trained(let head) = networkClass.head
    else { return nil }
    return FunctionalState.Learner(
      network: HeadedNetwork(features: networkClass.features, head: head),
      optimizer: networkClass.training.optimizer)
  }
}

/// Access to what an outer variable holds besides parameters.
struct OuterState<Outer: TensorTree> {
  /// Moves it on before a step.
  let prepare: (inout Outer) -> Void
  let read: (Outer) -> [Tensor]
  let write: (inout Outer, [Tensor]) -> Void
}
