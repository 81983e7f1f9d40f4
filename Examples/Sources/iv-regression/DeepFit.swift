import Autodiff
import Bilevel
import ExampleSupport
import Neural

/// Training of the deep regression and of the naive network beside it.
struct DeepFit {
  let settings: DeepSettings
  let problem: DeepProblem
  let seed: UInt64

  /// What training leaves.
  struct Result {
    let model: DeepFeatureIV<MLP, MLP>
    let innerLosses: [Double]
    let outerLosses: [Double]
  }

  /// Trains both networks of the bilevel problem, with progress on standard error, until the end or an
  /// interruption.
  func train(until interruption: Interruption) throws -> Result {
    var generator = PhiloxGenerator(seed: seed, stream: 1)
    let model = DeepFeatureIV(
      treatment: network(
        inputs: problem.all.treatments.shape[1], outputs: settings.features, &generator),
      instrument: network(
        inputs: problem.all.instruments.shape[1], outputs: settings.features, &generator),
      firstHead: LinearHead(ridge: settings.firstRidge),
      secondHead: LinearHead(ridge: settings.secondRidge))
    var training = DeepFeatureIVTraining(
      model, first: problem.first, second: problem.second, innerStepCount: settings.innerSteps,
      innerOptimizer: optimizer, outerOptimizer: optimizer)
    let progress = ProgressMeter(label: "deep", total: settings.iterations, unit: "iteration")
    var (inner, outer): ([Double], [Double]) = ([], [])
    for iteration in 1...max(1, settings.iterations) {
      let losses = try training.step()
      inner.append(losses.inner)
      outer.append(losses.outer)
      progress.update(
        completed: iteration,
        note: "inner \(Numbers.significant(losses.inner)), "
          + "outer \(Numbers.significant(losses.outer))")
      if interruption.isRequested { break }
    }
    progress.finish()
    return Result(model: training.model, innerLosses: inner, outerLosses: outer)
  }

  /// The structural function of a trained model, in the units of the outcome.
  func structuralFunction(_ result: Result, at columns: [[Double]]) throws -> [Double] {
    problem.outcomes(
      try result.model.structuralFunction(
        at: problem.treatments(columns), first: problem.first, second: problem.second))
  }

  /// Regression of the outcome on the treatments by the same network, as if nothing were
  /// endogenous.
  func naiveRegression(at columns: [[Double]], until interruption: Interruption) -> [Double] {
    var generator = PhiloxGenerator(seed: seed, stream: 2)
    var network = network(inputs: problem.all.treatments.shape[1], outputs: 1, &generator)
    var optimizer = optimizer
    let (inputs, targets) = (problem.all.treatments, problem.all.outcomes)
    let batchSize = 256
    // As many passes over the data as make the loss level off.
    let passes = max(5, min(200, 200_000 / targets.shape[0]))
    let progress = ProgressMeter(label: "naive network", total: passes, unit: "epoch")
    for pass in 1...passes {
      var loss = Tensor(0)
      for rows in Batches(count: targets.shape[0], batchSize: batchSize, shuffledUsing: &generator)
      {
        let (x, y) = (inputs.gathering(rows, alongAxis: 0), targets.gathering(rows, alongAxis: 0))
        let step = valueWithGradient(at: network) { meanSquaredError($0(x), y) }
        optimizer.update(&network, along: step.gradient)
        loss = step.value
      }
      progress.update(completed: pass, note: "loss \(Numbers.significant(loss.scalar))")
      if interruption.isRequested { break }
    }
    progress.finish()
    return problem.outcomes(network(problem.treatments(columns)))
  }

  private var optimizer: Adam {
    Adam(learningRate: settings.learningRate, weightDecay: settings.weightDecay)
  }

  private func network(
    inputs: Int, outputs: Int, _ generator: inout PhiloxGenerator
  ) -> MLP {
    MLP(
      widths: [inputs] + settings.hidden + [outputs], activation: .gelu, scalarType: .float32,
      using: &generator)
  }
}
