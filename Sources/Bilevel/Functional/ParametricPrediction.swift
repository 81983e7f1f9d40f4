import Autodiff
import Neural
import Solvers

/// The inner problem of a functional problem as one of a network's parameters θ.
///
///     θ* = argmin G(ω, θ),   G = min over the closed-form last layer, if there is one
///
/// Predictions and G are differentiable functions of θ, ω and the labels to every order, the last
/// layer being the exact solution in the linear class of the features.
struct ParametricPrediction<Outer: TensorTree, Labels: TensorTree> {
  let problem: FunctionalProblem<Outer, Labels>
  let outer: Outer
  let sample: FunctionalSample<Labels>

  /// h_θ as a function.
  func function(
    _ network: ParametricNetwork
  ) throws(SolverError) -> (Tensor) throws(SolverError) -> Tensor {
    if let head = network.head { return { x in head(network.features(x)) } }
    let h = try problem.layer(in: .linear(linearClass(network))).solution(at: outer, on: sample)
    return { x throws(SolverError) in try h(x) }
  }

  /// G(ω, θ).
  func objective(_ network: ParametricNetwork) throws(SolverError) -> Tensor {
    let loss = PointwiseLoss(problem.innerLoss)
    if let head = network.head {
      return try loss.mean(outer, head(network.features(sample.inputs)), sample)
    }
    let linearClass = linearClass(network)
    let exact = try problem.layer(in: .linear(linearClass))
      .exactWeights(linearClass, outer, sample, FunctionalState())
    return try loss.mean(outer, matmul(exact.features, exact.weights), sample)
      + linearClass.ridge * square(exact.weights).sum()
  }

  /// The class of functions of the network's features, of which the last layer is a solution.
  private func linearClass(_ network: ParametricNetwork) -> LinearClass {
    guard let ridge = problem.network.headRidge else {
      stop(
        "FunctionalProblem",
        "this method solves for the last layer: give the network class head .closedForm(ridge:)")
    }
    return .network(network.features, ridge: ridge)
  }

  /// The outer loss of h_θ.
  func outerLoss(_ network: ParametricNetwork) throws(SolverError) -> Tensor {
    try problem.loss(outer, try function(network)(problem.outerInputs), sample.labels)
  }
}

/// The trained parameters of a network: a tree with as many leaves as the optimiser updates.
struct ParametricNetwork: TensorTree {
  var features: Sequential
  var head: Dense?
}

extension InnerTraining {
  /// Refuses steps that cannot be repeated as a differentiable function of θ: unrolling repeats the
  /// steps that were taken, with the network as it is outside training.
  func requireRepeatable(_ features: Sequential, _ x: Tensor, _ pass: TrainingPass) {
    var pass = pass
    let features = stopGradient(features)
    let x = stopGradient(x)
    guard tolerance == nil, features(x, &pass).isBitwiseEqual(to: features(x)) else {
      stop(
        "OuterTraining",
        """
        unrolled steps are repeated, but the number of steps depends on a tolerance, or the network \
        is another one in training (dropout, batch statistics). Take all steps, leave these layers \
        out, or choose another method
        """)
    }
  }
}

extension FunctionalProblem {
  /// θ of a network in training: without the last layer where that is solved for.
  func parameters(of network: HeadedNetwork) -> ParametricNetwork {
    if case .closedForm = self.network.head {
      return ParametricNetwork(features: network.features, head: nil)
    }
    return ParametricNetwork(features: network.features, head: network.head)
  }

  /// The network before its first step.
  var initialLearner: FunctionalState.Learner {
    network.initialLearner(inputs: innerInputs, outputCount: outputCount)
  }
}
