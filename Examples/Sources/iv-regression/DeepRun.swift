import Autodiff
import Econometrics
import ExampleSupport
import InferenceDesigns

/// What `deep` trains on and how: the model's settings, and those of the simulation without `--data`.
struct DeepSettings: Encodable {
  /// Observations simulated without `--data`.
  var observations = 10_000
  /// ρ of the simulated design.
  var correlation = 0.9
  /// How the networks are trained.
  var model = DeepSettings.forSimulation

  /// Defaults for the simulated design and its noise; they were chosen on other samples than the ones
  /// it reports.
  static let forSimulation: DeepIV = {
    var model = DeepIV()
    (model.iterations, model.hidden, model.features) = (150, [128, 64], 64)
    (model.learningRate, model.firstRidge, model.secondRidge) = (1e-2, 1e-4, 1e-4)
    model.heldOut = 0
    return model
  }()

  private enum Key: CodingKey { case observations, correlation }

  func encode(to encoder: any Encoder) throws {
    try model.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(observations, forKey: .observations)
    try container.encode(correlation, forKey: .correlation)
  }
}

/// What `deep` writes with `--json`: the result, with the settings of the simulation beside those of
/// the model.
struct DeepReport: Encodable {
  let result: InstrumentalResult<DeepEstimates>
  let settings: DeepSettings

  var isInterrupted: Bool { result.estimates.isInterrupted }

  private enum Key: CodingKey { case settings }

  func encode(to encoder: any Encoder) throws {
    try result.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(settings, forKey: .settings)
  }
}

/// One run of `deep`: reads or simulates, trains, compares, prints and plots.
struct DeepRun {
  var settings: DeepSettings
  /// The path of a file; nil simulates the demand design.
  var data: String?
  var roles = ColumnRoles.none
  let seed: UInt64

  /// Runs, and returns what `--json` writes.
  func run(writingTo directory: () throws -> OutputDirectory) throws -> DeepReport {
    var generator = PhiloxGenerator(seed: seed)
    if data == nil { try requireMemory(rows: settings.observations) }
    let model =
      try data.map { try roles.model(data: $0) } ?? simulated(using: &generator)
    try requireMemory(rows: model.observationCount)
    // Before the training, so that a model that makes no sense is refused at once.
    try model.requireOutcomeToExplain()
    _ = try TwoStageLeastSquares(model)
    // Before the training too: a long run must not end at a place that cannot be written.
    let directory = try directory()
    let interruption = Interruption(
      announcement:
        "Stopping after this iteration, with what is trained by then; once more ends at once."
    )
    let progress = ProgressMeter(
      label: "deep", total: settings.model.iterations, unit: "iteration")
    // As many new observations of the simulated design, for intervals.
    var unseen = PhiloxGenerator(seed: seed, stream: 4)
    let fit = try settings.model.fit(
      model, unseen: data == nil ? simulated(using: &unseen) : nil, seed: seed, splitBy: generator
    ) { iteration, losses in
      progress.update(
        completed: iteration,
        note: "inner \(Numbers.significant(losses.inner)), "
          + "outer \(Numbers.significant(losses.outer))")
      return !interruption.isRequested
    }
    progress.finish()
    let points = data == nil ? DemandPoints(model, seed: seed) : nil
    let errors = points.map { points in
      DeepErrors(
        of: fit, naive: naive(fit, at: points.columns, until: interruption), at: points.columns,
        truth: points.truth, scale: DemandDesign.demandScale)
    }
    interruption.end()
    let lines = data == nil ? DemandPoints.seasons(of: model) : fit.lines
    let result = fit.result(along: lines, errors: errors)
    let files = try DeepFiles(result: result, fit: fit, lines: lines, points: points)
      .write(to: directory)
    print(result)
    print("Wrote \(files.joined(separator: " and "))")
    return DeepReport(result: result, settings: settings)
  }

  private func naive(
    _ fit: DeepIVFit, at columns: [[Double]], until interruption: Interruption
  ) -> [Double] {
    var progress: ProgressMeter?
    defer { progress?.finish() }
    return fit.uninstrumentedRegression(at: columns) { pass, total, loss in
      let meter = progress ?? ProgressMeter(label: "naive network", total: total, unit: "epoch")
      progress = meter
      meter.update(completed: pass, note: "loss \(Numbers.significant(loss))")
      return !interruption.isRequested
    }
  }

  private func simulated(
    using generator: inout PhiloxGenerator
  ) throws(ModelError) -> InstrumentalModel {
    var model = try DemandDesign(correlation: settings.correlation)
      .sample(count: settings.observations, using: &generator)
    model.source = "simulated demand design, ρ = \(settings.correlation)"
    return model
  }

  /// Refuses a training that does not fit: the layers of both networks and their derivatives in float32,
  /// and the data in several forms.
  private func requireMemory(rows: Int) throws(NotEnoughMemory) {
    let width = Double(settings.model.hidden.reduce(0, +) + 2 * settings.model.features)
    try NotEnoughMemory.refuse(
      Double(rows) * (55 * width + 800),
      for:
        "training on \(Numbers.count(rows)) observations with \(Numbers.count(Int(width))) hidden units "
        + "and features")
  }
}

/// Where the simulated design is compared with its truth.
struct DemandPoints {
  /// Price, time and customer, set by intervention.
  let columns: [[Double]]
  /// Expected demand there.
  let truth: [Double]

  init(_ model: InstrumentalModel, seed: UInt64) {
    var generator = PhiloxGenerator(seed: seed, stream: 3)
    let points = DemandDesign.interventions(
      count: 5_000, observedPrices: model.endogenous[0].values, using: &generator)
    columns = [points.map(\.price), points.map(\.time), points.map(\.customer)]
    truth = points.map {
      DemandDesign.demand(price: $0.price, time: $0.time, customer: $0.customer)
    }
  }

  /// Demand of three types of customer over the year at the median price.
  static func seasons(of model: InstrumentalModel) -> [StructuralLine] {
    let prices = model.endogenous[0].values.sorted()
    let price = prices[prices.count / 2]
    let times = (0..<80).map { 10 * Double($0) / 79 }
    return [1.0, 4, 7].map { customer in
      StructuralLine(
        name: "type \(Int(customer))", points: times,
        columns: [times.map { _ in price }, times, times.map { _ in customer }],
        truth: times.map { DemandDesign.demand(price: price, time: $0, customer: customer) })
    }
  }
}
