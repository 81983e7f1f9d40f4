// The code of the documents, compiled here word for word and run by `DocumentationTests`.
import Autodiff
import Bilevel
import Econometrics
import GradientCheck
import Inference
import Neural
import Orthogonal
import Solvers
import TensorFiles

enum Snippets {
  static func transforms() -> [Tensor] {
    let x = Tensor([0.5, -1, 2])
    let slope = gradient(at: x) { x in (x * x).sum() }  // 2x

    let (y, pullback) = vjp(at: x) { x in exp(x) }  // call it as often as you like
    let weighted = pullback(Tensor([1, 0, -1]))  // Jᵀ · cotangent
    let (_, tangent) = jvp(at: x, along: Tensor([1, 1, 1])) { x in exp(x) }

    let curvature = hessian(at: x) { x in log(exp(x).sum()) }  // forward over reverse
    let nested = gradient(at: Tensor(1)) { x in  // d/dx [x · d/dy (x y)] = 2x
      x * gradient(at: Tensor(3)) { y in x * y }
    }
    return [slope, y, weighted, tangent, curvature, nested]
  }

  static func descent(_ x: Tensor, _ y: Tensor) -> [Tensor] {
    struct Line: TensorTree {
      var slope = Tensor(0)
      var intercept = Tensor(0)
    }

    var line = Line()
    for _ in 0..<200 {
      let step = gradient(at: line) { line in square(line.slope * x + line.intercept - y).mean() }
      line -= 0.1 * step
    }
    return line.tensors
  }

  static func training() -> MLP {
    var generator = PhiloxGenerator(seed: 1)
    var network = MLP(widths: [2, 32, 32, 1], activation: .tanh, using: &generator)
    var optimizer = Adam(learningRate: 1e-2)
    let inputs = Tensor.uniform([256, 2], from: -1, to: 1, using: &generator)
    let targets = sin(3 * inputs).sum(alongAxis: 1, keepingDimension: true)
    for rows in Batches(count: 256, batchSize: 64, shuffledUsing: &generator) {
      let (x, y) = (inputs.gathering(rows, alongAxis: 0), targets.gathering(rows, alongAxis: 0))
      let (loss, slope) = valueWithGradient(at: network) { meanSquaredError($0(x), y) }
      optimizer.update(&network, along: slope)
      print(loss.scalar)
    }
    return network
  }

  /// A run to early stopping or epoch 50, and from its checkpoint to epoch 60.
  static func trainingRun(
    checkpoint path: String, weights: String
  ) throws -> (training: Training<MLP, [Tensor]>, fitted: MLP, loaded: MLP) {
    var generator = PhiloxGenerator(seed: 1)
    let network = MLP(widths: [2, 32, 1], activation: .tanh, using: &generator)
    let inputs = Tensor.uniform([256, 2], from: -1, to: 1, using: &generator)
    let targets = sin(3 * inputs).sum(alongAxis: 1, keepingDimension: true)
    let validationInputs = Tensor.uniform([64, 2], from: -1, to: 1, using: &generator)
    let validationTargets = sin(3 * validationInputs).sum(alongAxis: 1, keepingDimension: true)

    var training = Training(
      network, optimizer: Adam(learningRate: 1e-2), rows: [inputs, targets], batchSize: 32, seed: 1
    ) { network, batch, pass in
      meanSquaredError(network(batch[0], &pass), batch[1])
    }
    training.schedule = .warmUp(over: 20, then: .cosine(over: 400, minimum: 0.01))
    training.gradientNormLimit = 1
    training.validate(on: [validationInputs, validationTargets]) { network, batch in
      meanSquaredError(network(batch[0]), batch[1])
    }
    training.earlyStopping = EarlyStopping(patience: 10, minimumImprovement: 1e-4)
    try training.run(upTo: 50) { epoch in
      print(epoch)  // epoch 1: loss 0.971…, validation 0.690…, learning rate 0.0038…
    }
    let fitted = training.bestModel

    training.schedule = LearningRateSchedule { step in 1 / (1 + 0.01 * Double(step)) }

    training.checkpoints = Checkpoints(at: path, every: .epochs(1))
    try training.resume()  // if there is a file
    try training.run(upTo: 60)

    try fitted.writeSafeTensors(to: weights)
    var loaded = network
    try loaded.readSafeTensors(from: weights)
    return (training, fitted, loaded)
  }

  static func check() throws {
    try requireGradients(at: Tensor([0.3, 0.7])) { x in tanh(x) * x }  // both modes, second order
  }

  static func customDerivative() -> Tensor {
    let cubeRoot = CustomDerivative<Tensor, Tensor, Never>(
      name: "cubeRoot",
      evaluate: { x in pow(x, 1.0 / 3) },
      jvp: { _, y, tangent in tangent / (3 * y * y) })
    let second = hessian(at: Tensor(8)) { x in cubeRoot(x) }
    return second
  }

  static func bilevel() throws -> (
    slope: Tensor, opaque: Tensor, result: Hypergradient<Tensor, Tensor>
  ) {
    var generator = PhiloxGenerator(seed: 3)
    let rows = Tensor.normal([40, 3], using: &generator)
    let validationRows = Tensor.normal([20, 3], using: &generator) + 0.3
    let λ = Tensor([-2, -1, 0])

    let layer = AID(
      minimizing: { (w: Tensor, λ: Tensor) in
        softplus(-matmul(rows, w)).mean() + 0.5 * (exp(λ) * square(w)).sum()
      },
      startingAt: Tensor.zeros([3]))

    let (loss, slope) = try valueWithGradient(at: λ) { λ in
      softplus(-matmul(validationRows, try layer.solution(at: λ).value)).mean()
    }

    let known = try layer.solution(at: λ).value
    @Sendable func myOwnSolver(_ start: Tensor, _ λ: Tensor) throws -> Tensor { known }
    let opaque = layer.solved { start, λ in
      try myOwnSolver(start, λ)
    }

    let result = try layer.hypergradient(
      at: λ, estimator: .preconditioned(ConjugateGradientStep(iterations: 5)),
      errorEstimate: .newton
    ) { w, _ in softplus(-matmul(validationRows, w)).mean() }
    print(result.record)  // residuals, iterations, estimated relative error

    print(loss.scalar)
    let again = try gradient(at: λ) { λ in
      softplus(-matmul(validationRows, try opaque.solution(at: λ).value)).mean()
    }
    return (slope, again, result)
  }

  static func functionalBilevel(checkpoint path: String) throws -> (
    weights: Tensor, losses: [Double], loops: [OuterTraining<Tensor, TreePack<Tensor, Tensor>>]
  ) {
    // Three sources of measurements of y = sin(3x); the third, half of the rows, is of something
    // else. The outer variable ω weighs the sources, the inner problem fits the median of y with
    // those weights, and the outer loss is the fit to a few rows that can be trusted.
    func measurements(_ count: Int, trusted: Bool, seed: UInt64) -> [Tensor] {
      var generator = PhiloxGenerator(seed: seed)
      let x = Tensor.uniform([count, 1], from: -1, to: 1, using: &generator)
      let source = Tensor((0..<count).map { trusted ? 0 : Double(min($0 % 4, 2)) })
      let isOther = source.expandingShape(at: 1) .== 2
      let noise = 0.2 * Tensor.normal([count, 1], using: &generator)
      return [x, select(isOther, 1.5 - x, sin(3 * x)) + noise, source]
    }
    let rows = measurements(600, trusted: false, seed: 1)
    let trusted = measurements(100, trusted: true, seed: 2)
    let isFrom = (0..<3).map { (rows[2] .== Double($0)).cast(to: .float64) }

    var generator = PhiloxGenerator(seed: 3)
    let features = MLP(
      widths: [1, 32, 16], activation: .tanh, finalActivation: .tanh, using: &generator)
    let layer = FuncID<Tensor, TreePack<Tensor, Tensor>>(
      outputCount: 1,
      in: .network(
        NetworkClass(
          features: features, head: .closedForm(ridge: 1e-4),
          training: InnerTraining(optimizer: Adam(learningRate: 3e-3), stepCount: 10)))
    ) { ω, v, _, labels in
      let (y, isFrom) = labels.elements
      return matmul(isFrom, exp(ω)) * Losses.smoothedQuantile(v, y, level: 0.5, bandwidth: 0.2)
    }
    let labels = TreePack(rows[1], Tensor.stacked(isFrom, alongAxis: 1))
    let sample = FunctionalSample(inputs: rows[0], labels: labels)

    var ω = Tensor.zeros([3])
    var losses: [Double] = []
    var outerOptimizer = Adam(learningRate: 0.1)
    let state = FunctionalState()
    for _ in 0..<60 {
      let (loss, hypergradient) = try valueWithGradient(at: ω) { ω in
        let h = try layer.solution(at: ω, on: sample, state: state)
        return meanSquaredError(try h(trusted[0]), trusted[1])
      }
      losses.append(loss.scalar)
      outerOptimizer.update(&ω, along: hypergradient)
    }

    let problem = FunctionalProblem<Tensor, TreePack<Tensor, Tensor>>(
      outputCount: 1, innerInputs: rows[0], innerLabels: { _ in labels },
      innerLoss: { ω, v, _, labels in
        let (y, isFrom) = labels.elements
        return matmul(isFrom, exp(ω)) * Losses.smoothedQuantile(v, y, level: 0.5, bandwidth: 0.2)
      },
      outerInputs: trusted[0], outerLoss: { _, v, _ in meanSquaredError(v, trusted[1]) },
      network: NetworkClass(features: features, head: .closedForm(ridge: 1e-4)))
    func loop() -> OuterTraining<Tensor, TreePack<Tensor, Tensor>> {
      OuterTraining(
        problem, method: .functional(), outer: Tensor.zeros([3]),
        optimizer: Adam(learningRate: 0.1))
    }

    let training = loop()
    for _ in 0..<5 {
      let step = try training.step()
      print(step.inner, step.outer, step.gradientNorm)
    }
    try training.snapshot.writeCheckpoint(to: path)

    let continued = loop()  // in another process, made in the same way
    var snapshot = continued.snapshot
    try snapshot.readCheckpoint(from: path)
    continued.restore(snapshot)  // goes on to the same bits
    return (ω, losses, [training, continued])
  }

  /// What the guide to orthogonal inference finds.
  struct OrthogonalResults {
    let estimate: Estimate
    let root: Estimate
    let path: Estimate
    let band: Intervals
    let change: Estimate
    let isDownhill: Bool
    let bound: Double
    let slope: Estimate
    let stationary: Estimate
    let evidence: [NuisanceSensitivity]
  }

  static func orthogonalInference() throws -> OrthogonalResults {
    var generator = PhiloxGenerator(seed: 11)
    let draws = Tensor.normal([2000, 3], using: &generator)
    let instrument = draws[0..., 0..<1]
    let treatment = 1.4 * instrument + 0.5 * draws[0..., 1..<2]
    let features = Tensor.concatenated([sin(treatment), cos(treatment)], alongAxis: 1)
    let noise = 0.4 * draws[0..., 1] + 0.25 * draws[0..., 2]
    let outcome = matmul(features, Tensor([1, -0.5])) + noise

    let problem = try AffineProblem(
      inputs: instrument, innerSlope: features, outcome: outcome, names: ["sin", "cos"])
    let fit = try problem.fit(nuisances: .kernelRidge(), crossFitting: CrossFitting(seed: 1))

    let estimate = try fit.hypergradient(at: Tensor([1.3, -0.2]))
    print(estimate.summary(title: "Gradient at (1.3, −0.2)", blocks: fit.summaryBlocks))

    let root = try fit.root()  // the coefficients, with the sandwich covariance
    print(root.summary(title: "Coefficients"))

    let grid = (0...10).map { Tensor([1 + 0.1 * Double($0), -0.5]) }
    let path = try fit.hypergradients(at: grid)  // 11 × 2 numbers from the same rows
    let band = try path.simultaneousIntervals(
      level: 0.95, bootstrap: MultiplierBootstrap(draws: 2000, seed: 3))

    let change = try fit.hypergradient(at: grid[10]) - fit.hypergradient(at: grid[0])
    let downhill = estimate.descentCertificate(along: Tensor([1, 0]))  // v·∇F > 0 at 95 %?
    let bound = estimate.normBound(level: 0.95)  // ‖∇F‖ is below this at 95 %

    struct Rows: TensorTree {
      var treatment: Tensor
      var outcome: Tensor
    }

    let isHigh = select(outcome .> 0.3, Tensor.ones([2000]), Tensor.zeros([2000]))
    let sample = FunctionalSample(
      inputs: instrument,
      labels: Rows(treatment: treatment, outcome: isHigh.expandingShape(at: 1)))

    // The inner problem is a logistic regression of σ(ω₀ sin t + ω₁) on x.
    let layer = OBiGrad<Tensor, Rows, Rows>(
      outputCount: 1,
      nuisances: .kernelRidge(
        .gaussian(lengthScale: 1), ridge: .rate(constant: 0.003, power: 0.4)),
      crossFitting: CrossFitting(foldCount: 5, seed: 1),
      innerLoss: { ω, v, x, rows in
        let target = sigmoid(ω[0] * sin(rows.treatment) + ω[1])
        return Losses.logistic(v, target)
      },
      outerLoss: { ω, v, x, rows in
        Losses.logistic(v, rows.outcome)
      })

    let ω = Tensor([2, -0.5])
    let general = try layer.fit(on: BilevelSample(sample), at: ω)
    let slope = try general.hypergradient(at: ω)
    let stationary = try general.root(startingAt: ω) { ω in 0.01 * square(ω).sum() }

    let evidence = try general.sensitivities(at: ω, along: Tensor([1, 0]))
    for entry in evidence {
      print(entry.nuisance, entry.zStatistic)  // should look like draws of a standard normal
    }
    return OrthogonalResults(
      estimate: estimate, root: root, path: path, band: band, change: change,
      isDownhill: downhill.isDescent, bound: bound, slope: slope, stationary: stationary,
      evidence: evidence)
  }
}

extension Snippets {
  /// - Parameters:
  ///   - states: [n, 2].
  ///   - pushes: 0 or 1.
  static func policyEvaluation(
    _ states: Tensor, _ pushes: [Double], _ rewards: Tensor, _ nextStates: Tensor,
    _ isTerminal: [Bool], _ trajectories: [Int]
  ) throws -> PolicyEvaluation {
    let transitions = try Transitions(
      states: states, actions: Transitions.oneHot(pushes, count: 2), rewards: rewards,
      nextStates: nextStates, isTerminal: isTerminal, trajectories: trajectories)
    let policy = EvaluationPolicy.stochastic(actionCount: 2) { states in
      let lean = states[0..., 0..<1]
      return .concatenated([sigmoid(-lean), sigmoid(lean)], alongAxis: 1)
    }
    let evaluation = try FittedQEvaluation(
      features: .perAction(.polynomials(inputSize: 2, degree: 2)), discount: 0.9,
      nuisances: .kernelRidge())
    let result = try evaluation.evaluate(policy, on: transitions, from: .firstOfTrajectories)
    print(result.summary())
    return result
  }
}

extension Snippets {
  /// - Parameter path: A CSV file with columns of Card (1995).
  static func instrumentalVariables(_ path: String) throws -> (
    linear: InstrumentalResult<LinearEstimates>,
    orthogonal: InstrumentalResult<OrthogonalEstimates>,
    deep: InstrumentalResult<DeepEstimates>
  ) {
    let model = try InstrumentalModel(
      CSVTable(contentsOfFile: path), outcome: "lwage", endogenous: ["educ"],
      instruments: ["nearc4"], exogenous: ["exper", "expersq", "black", "south"])
    let linear = try TwoStageLeastSquares(model).result()  // robust errors, first stage, tests
    print(linear)
    let orthogonal = try OrthogonalIV().fit(model).result()  // a nonparametric first stage
    let deep = try DeepIV().fit(model).result()  // a nonlinear effect, by networks
    return (linear, orthogonal, deep)
  }
}
