import Autodiff
import Neural
import Solvers

/// Training of the prediction network on the inner problem, at constants.
///
/// A step takes one forward and one backward pass through the network: the loss is differentiated
/// in the outputs v only, and ∂L/∂v goes back through the network.
package struct NetworkFit<Outer: TensorTree, Labels: TensorTree> {
  let loss: PointwiseLoss<Outer, Labels>
  let outer: Outer
  let sample: FunctionalSample<Labels>
  let outputCount: Int

  package init(
    loss: PointwiseLoss<Outer, Labels>, outer: Outer, sample: FunctionalSample<Labels>,
    outputCount: Int
  ) {
    (self.loss, self.outer, self.sample, self.outputCount) = (loss, outer, sample, outputCount)
  }

  /// Takes the steps of one outer iteration.
  ///
  /// - Returns: The network, its last layer solved for on the whole sample if it has a closed form.
  package func trained(
    _ networkClass: NetworkClass, _ state: FunctionalState
  ) throws(SolverError) -> (network: HeadedNetwork, status: SolverStatus) {
    var learner = networkClass.initialLearner(inputs: sample.inputs, outputCount: outputCount)
      .continuing(state.prediction, "a prediction network")
    let training = networkClass.training
    var history: [Double] = []
    var isConverged = false
    for _ in 0..<training.stepCount {
      let batch = sample.batch(training.batchSize, using: &state.generator)
      learner.network.updateState()
      let slope = try step(&learner, networkClass, batch, &state.generator)
      history.append(slope)
      let first = learner.firstSlope ?? slope
      learner.firstSlope = first
      if let tolerance = training.tolerance, slope <= tolerance * first {
        isConverged = true
        break
      }
    }
    if case .closedForm(let ridge) = networkClass.head {
      let phi = learner.network.features(sample.inputs)
      let weights = try headWeights(phi, ridge, sample, learner)
      learner.network.head = Dense(rowsWithIntercept: weights)
    }
    state.prediction = learner
    let scale = learner.firstSlope ?? 0
    let status = SolverStatus(
      method: "FuncID, network training",
      outcome: isConverged ? .converged : .iterationLimit,
      history: history, threshold: (training.tolerance ?? 0) * scale, scale: scale,
      evaluations: history.count, iterations: history.count)
    return (learner.network, status)
  }

  /// One step; returns ‖∂L/∂θ‖ before it.
  private func step(
    _ learner: inout FunctionalState.Learner, _ networkClass: NetworkClass,
    _ batch: FunctionalSample<Labels>, _ generator: inout PhiloxGenerator
  ) throws(SolverError) -> Double {
    var pass = TrainingPass(using: &generator)
    let network = learner.network
    switch networkClass.head {
    case .closedForm(let ridge):
      let (phi, pullback) = vjp(at: network.features) { $0(batch.inputs, &pass) }
      let weights = try headWeights(phi, ridge, batch, learner)
      // By the envelope theorem the solved layer is a constant in the derivative.
      let head = Dense(rowsWithIntercept: weights)
      let slope = try loss.slope(outer, head(phi), batch)
      let gradient = pullback(matmul(slope, head.weight, transposeB: true))
      learner.network.head = head
      let size = try finite(gradient.globalNorm, learner, head(phi), batch)
      learner.network.features.adopt(pass)
      learner.update(training: networkClass.training) { optimizer, network in
        optimizer.update(&network.features, along: gradient)
      }
      return size
    case .trained:
      let (v, pullback) = vjp(at: network) { $0(batch.inputs, &pass) }
      let gradient = pullback(try loss.slope(outer, v, batch))
      let size = try finite(gradient.globalNorm, learner, v, batch)
      learner.network.adopt(pass)
      learner.update(training: networkClass.training) { optimizer, network in
        optimizer.update(&network, along: gradient)
      }
      return size
    }
  }

  private func finite(
    _ size: Double, _ learner: FunctionalState.Learner, _ v: Tensor,
    _ batch: FunctionalSample<Labels>
  ) throws(SolverError) -> Double {
    if size.isFinite { return size }
    throw .function(
      FunctionalError.trainingNotFinite(
        level: "inner", step: learner.stepCount,
        loss: (try loss.mean(outer, v, batch)).scalar, gradientNorm: size))
  }

  /// The solved last layer of a network with features φ on a sample, [m + 1, d].
  private func headWeights(
    _ phi: Tensor, _ ridge: Double, _ sample: FunctionalSample<Labels>,
    _ learner: FunctionalState.Learner
  ) throws(SolverError) -> Tensor {
    guard phi.isFinite else {
      throw .function(
        FunctionalError.trainingNotFinite(
          level: "inner", step: learner.stepCount, loss: .nan, gradientNorm: .nan))
    }
    let fit = LinearFit(
      loss: loss, outer: outer, sample: sample, features: phi.withIntercept,
      penalty: RidgePenalty(ridge: ridge), outputCount: outputCount)
    let result = try fit.solved(from: learner.network.head.rowsWithIntercept)
    guard result.status.isConverged else { throw .unsolved(result.status, of: .inner) }
    return result.weights
  }
}

extension FunctionalState.Learner {
  /// Applies the optimiser at the scheduled rate and counts the step.
  mutating func update(
    training: InnerTraining,
    _ step: (inout any Optimizer, inout HeadedNetwork) -> Void
  ) {
    let rate = training.optimizer.learningRate
    optimizer.learningRate = rate * training.schedule(stepCount)
    step(&optimizer, &network)
    stepCount += 1
  }
}

extension FunctionalSample {
  /// A random batch without replacement; the whole sample for nil.
  func batch(_ size: Int?, using generator: inout PhiloxGenerator) -> FunctionalSample {
    guard let size, size < count else { return self }
    while true {
      let indices = Tensor.permutation(count, using: &generator).slice(0..<size, alongAxis: 0)
      // Rows of weight zero alone would be no sample; some row has another one.
      if let weights, weights.gathering(indices, alongAxis: 0).max().scalar <= 0 { continue }
      return rows(indices)
    }
  }
}

extension NetworkClass {
  /// Everything that training starts from.
  var initialTensors: [Tensor] {
    guard case .trained(let dense) = head else { return features.tensors }
    return features.tensors + dense.tensors
  }

  /// The network before its first step; a closed-form last layer starts at zero.
  func initialLearner(inputs: Tensor, outputCount: Int) -> FunctionalState.Learner {
    let last: Dense
    switch head {
    case .trained(let dense):
      last = dense.requiring(outputCount, "the prediction")
    case .closedForm:
      let phi = features(stopGradient(inputs).slice(0..<1, alongAxis: 0))
      last = Dense(rowsWithIntercept: .zeros([phi.shape[1] + 1, outputCount], phi.scalarType))
    }
    return FunctionalState.Learner(
      network: HeadedNetwork(features: features, head: last), optimizer: training.optimizer)
  }
}
