import Autodiff
import Neural
import Solvers

/// An outer loop over a functional problem by any of the methods: some inner steps, one
/// hypergradient, one outer step.
///
///     let training = OuterTraining(problem, method: .functional(), outer: network)
///     for _ in 0..<100 {
///       let losses = try training.step()
///     }
///
/// A class, because its networks and optimisers live on from step to step. Deterministic: the same
/// seed gives the same bits.
public final class OuterTraining<Outer: TensorTree, Labels: TensorTree> {
  /// What one outer step leaves.
  public struct Losses: Sendable {
    /// Σᵢ wᵢ ℓ_in after the inner steps.
    public let inner: Double
    /// L_out before the outer step.
    public let outer: Double
    /// The Euclidean norm of the hypergradient.
    public let gradientNorm: Double
    /// The evidence; nil for methods that solve nothing.
    public let record: TrustRecord?
  }

  /// What is minimised in ω.
  public let problem: FunctionalProblem<Outer, Labels>
  /// How the hypergradient is found.
  public let method: FunctionalMethod
  /// ω.
  public internal(set) var outer: Outer
  /// The rule of an outer step.
  public internal(set) var outerOptimizer: any Optimizer
  /// The outer learning rate relative to the optimiser's, by the number of steps taken.
  public var schedule: @Sendable (_ step: Int) -> Double
  /// How many outer steps were taken.
  public internal(set) var stepCount = 0

  let layerState: OuterState<Outer>
  let state: FunctionalState
  /// θ̃ of the value-function method.
  let auxiliary: FunctionalState
  /// Where the adjoint solves of the implicit method start.
  let warmStart = WarmStart<ParametricNetwork>()
  private let baseRate: Double

  init(
    _ problem: FunctionalProblem<Outer, Labels>, method: FunctionalMethod, outer: Outer,
    optimizer: any Optimizer = Adam(learningRate: 1e-3),
    schedule: @escaping @Sendable (_ step: Int) -> Double = { _ in 1 }, seed: UInt64 = 0,
    layerState: OuterState<Outer>
  ) {
    self.problem = problem
    self.method = method
    self.outer = outer
    outerOptimizer = optimizer
    baseRate = optimizer.learningRate
    self.schedule = schedule
    self.layerState = layerState
    state = FunctionalState(seed: seed)
    auxiliary = FunctionalState(seed: seed)
  }

  /// A loop before its first step.
  ///
  /// - Parameters:
  ///   - outer: ω.
  ///   - optimizer: The rule of an outer step, before the first one.
  ///   - schedule: The learning rate relative to the optimiser's.
  ///   - seed: Of the batches.
  public convenience init(
    _ problem: FunctionalProblem<Outer, Labels>, method: FunctionalMethod, outer: Outer,
    optimizer: any Optimizer = Adam(learningRate: 1e-3),
    schedule: @escaping @Sendable (_ step: Int) -> Double = { _ in 1 }, seed: UInt64 = 0
  ) {
    self.init(
      problem, method: method, outer: outer, optimizer: optimizer, schedule: schedule, seed: seed,
      layerState: OuterState(prepare: { _ in }, read: { _ in [] }, write: { _, _ in }))
  }

  /// Takes the inner steps and one outer step.
  ///
  /// - Throws: Where a solve fails or a number is not finite; ω is then as before.
  public func step() throws(SolverError) -> Losses {
    let before = outer
    layerState.prepare(&outer)
    do throws(SolverError) {
      return try stepWithPreparedState()
    } catch {
      outer = before
      throw error
    }
  }

  private func stepWithPreparedState() throws(SolverError) -> Losses {
    var record: TrustRecord?
    var sample: FunctionalSample<Labels>?
    let value: Double
    let slope: Outer
    switch method {
    case .gradientPenalty(let strength):
      (value, slope) = try penalized(&sample) { model, θ throws(SolverError) in
        let norms = try gradient(at: θ, unused: .zero) { θ throws(SolverError) in
          try model.objective(θ)
        }.tensors.map { square($0).sum() }
        return strength * sqrt(norms.dropFirst().reduce(norms[0], +))
      }
    case .valueFunction(let strength):
      (value, slope) = try penalized(&sample) { model, θ throws(SolverError) in
        let best = try trained(auxiliary, at: model.outer, on: model.sample)
        let reference = try model.objective(problem.parameters(of: best))
        return strength * (try model.objective(θ) - reference)
      }
    default:
      let (loss, gradient) = try valueWithGradient(at: outer, unused: .zero) {
        (ω: Outer) throws(SolverError) -> Tensor in
        let traced = try problem.sample(ω)
        sample = traced.constant
        let (loss, evidence) = try hypergradientLoss(at: ω, traced)
        record = evidence
        guard loss.isTraced else {
          stop("OuterTraining", "nothing in the outer loss depends on the outer variable")
        }
        return loss
      }
      (value, slope) = (loss.scalar, gradient)
    }
    let norm = slope.globalNorm
    guard value.isFinite, norm.isFinite else {
      throw .function(
        FunctionalError.trainingNotFinite(
          level: "outer", step: stepCount, loss: value, gradientNorm: norm))
    }
    let inner = try innerLoss(sample)
    outerOptimizer.learningRate = baseRate * schedule(stepCount)
    outerOptimizer.update(&outer, along: slope)
    stepCount += 1
    return Losses(inner: inner, outer: value, gradientNorm: norm, record: record)
  }

  /// h(x) of the current networks, a closed-form last layer solved at the current ω.
  public func predict(_ x: Tensor) throws(SolverError) -> Tensor {
    try hidingLevels { () throws(SolverError) in
      let model = ParametricPrediction(
        problem: problem, outer: outer, sample: try problem.sample(outer))
      return try model.function(problem.parameters(of: network))(x)
    }
  }

  /// φ of the prediction network as it is, without its last layer.
  public var predictionFeatures: Sequential { network.features }

  /// The prediction network as it is.
  private var network: HeadedNetwork {
    (state.prediction ?? problem.initialLearner).network
  }

  // MARK: Methods that differentiate a solution

  /// The outer loss as a function whose gradient is the method's hypergradient.
  private func hypergradientLoss(
    at ω: Outer, _ sample: FunctionalSample<Labels>
  ) throws(SolverError) -> (loss: Tensor, record: TrustRecord?) {
    let model = ParametricPrediction(problem: problem, outer: ω, sample: sample)
    switch method {
    case .functional(let adjoint):
      let layer = problem.layer(in: .network(problem.network), adjoint: adjoint)
      let h = try layer.solution(at: ω, on: sample, state: state)
      return (try problem.loss(ω, try h(problem.outerInputs), sample.labels), h.record)
    case .closedFormHead:
      let network = try trained(state, at: ω, on: sample)
      return (try model.outerLoss(ParametricNetwork(features: network.features, head: nil)), nil)
    case .implicit(let solver):
      let θ = problem.parameters(of: try trained(state, at: ω, on: sample))
      // The layer stays on this thread.
      nonisolated(unsafe) let (ω, sample) = (ω, sample)
      var layer = AID<ParametricNetwork, Labels>(
        minimizing: { [problem] θ, labels in
          let sample = sample.with(labels: labels)
          return try ParametricPrediction(problem: problem, outer: ω, sample: sample)
            .objective(θ)
        }, startingAt: θ, adjoint: solver
      ).solved { _, _ in θ }
      layer.onFailure = .report
      let solution = try layer.solution(at: sample.labels, warmStart: warmStart)
      return (try model.outerLoss(solution.value), solution.record)
    case .unrolled(let steps):
      return (try model.outerLoss(try unrolled(model, steps)), nil)
    case .gradientPenalty, .valueFunction:
      stop("OuterTraining", "a penalty has no solution to differentiate")
    }
  }

  private func trained(
    _ state: FunctionalState, at ω: Outer, on sample: FunctionalSample<Labels>,
    stepCount: Int? = nil
  ) throws(SolverError) -> HeadedNetwork {
    try hidingLevels { () throws(SolverError) in
      var networkClass = problem.network
      if let stepCount { networkClass.training.stepCount = stepCount }
      let fit = NetworkFit(
        loss: PointwiseLoss(problem.innerLoss), outer: stopGradient(ω),
        sample: sample.constant, outputCount: problem.outputCount)
      return try fit.trained(networkClass, state).network
    }
  }

  /// θ after the inner steps, the last ones traced.
  ///
  /// They are taken twice, so that the state that lives on has no trace.
  private func unrolled(
    _ model: ParametricPrediction<Outer, Labels>, _ steps: Int
  ) throws(SolverError) -> ParametricNetwork {
    let training = problem.network.training
    let traced = min(steps, training.stepCount)
    _ = try trained(
      state, at: model.outer, on: model.sample, stepCount: training.stepCount - traced)
    let learner = state.prediction ?? problem.initialLearner
    var generator = state.generator
    _ = try trained(state, at: model.outer, on: model.sample, stepCount: traced)
    var θ = problem.parameters(of: learner.network)
    var optimizer = learner.optimizer
    for step in 0..<traced {
      let batch = model.sample.batch(training.batchSize, using: &generator)
      // The pass of a training step, whose place in the stream the state's step took.
      let pass = TrainingPass(using: &generator)
      if step == 0 { training.requireRepeatable(θ.features, batch.inputs, pass) }
      let part = ParametricPrediction(problem: problem, outer: model.outer, sample: batch)
      θ.features.updateState()
      let slope = try gradient(at: θ, unused: .zero) { θ throws(SolverError) in
        try part.objective(θ)
      }
      optimizer.learningRate =
        training.optimizer.learningRate * training.schedule(learner.stepCount + step)
      optimizer.update(&θ, along: slope)
    }
    return θ
  }

  // MARK: Penalties

  /// One joint step on L_out + penalty: θ is updated here, the slope in ω is returned with L_out.
  private func penalized(
    _ constant: inout FunctionalSample<Labels>?,
    _ penalty: (ParametricPrediction<Outer, Labels>, ParametricNetwork) throws(SolverError)
      -> Tensor
  ) throws(SolverError) -> (value: Double, slope: Outer) {
    var learner = state.prediction ?? problem.initialLearner
    learner.network.updateState()
    let θ = problem.parameters(of: learner.network)
    var value = Double.nan
    let slope = try gradient(at: outer, θ, unused: .zero) {
      (ω: Outer, θ: ParametricNetwork) throws(SolverError) -> Tensor in
      let sample = try problem.sample(ω)
      constant = sample.constant
      let model = ParametricPrediction(problem: problem, outer: ω, sample: sample)
      let loss = try model.outerLoss(θ)
      value = stopGradient(loss).scalar
      return loss + (try penalty(model, θ))
    }
    guard slope.1.globalNorm.isFinite else {
      throw .function(
        FunctionalError.trainingNotFinite(
          level: "inner", step: learner.stepCount, loss: value,
          gradientNorm: slope.1.globalNorm))
    }
    learner.update(training: problem.network.training) { optimizer, network in
      var θ = θ
      optimizer.update(&θ, along: slope.1)
      network.features = θ.features
      if let head = θ.head { network.head = head }
    }
    state.prediction = learner
    return (value, slope.0)
  }

  /// Σᵢ wᵢ ℓ_in of the networks as they are, at the labels of this step.
  private func innerLoss(_ sample: FunctionalSample<Labels>?) throws(SolverError) -> Double {
    guard let sample else { return .nan }
    let model = ParametricPrediction(problem: problem, outer: outer, sample: sample)
    let v = try model.function(problem.parameters(of: network))(sample.inputs)
    return (try PointwiseLoss(problem.innerLoss).mean(outer, v, sample)).scalar
  }
}

extension OuterTraining where Outer: Layer {
  /// A loop whose outer variable is a network: its state moves on before every step.
  public convenience init(
    _ problem: FunctionalProblem<Outer, Labels>, method: FunctionalMethod, outer: Outer,
    optimizer: any Optimizer = Adam(learningRate: 1e-3),
    schedule: @escaping @Sendable (_ step: Int) -> Double = { _ in 1 }, seed: UInt64 = 0
  ) {
    self.init(
      problem, method: method, outer: outer, optimizer: optimizer, schedule: schedule, seed: seed,
      layerState: OuterState(
        prepare: { $0.updateState() }, read: { $0.state.tensors },
        write: { $0.state.tensors = $1 }))
  }
}
