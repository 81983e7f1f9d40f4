import Autodiff
import Econometrics
import ExampleSupport
import OrthogonalRegression
import RegressionInput

/// One run of `deep`: reads or simulates, trains, compares, prints and plots.
struct DeepRun {
  var settings = DeepSettings()
  /// The regression on a file; nil simulates the demand design.
  var specification: RegressionSpecification?
  let seed: UInt64

  /// Runs, and returns what `--json` writes.
  func run(writingTo directory: () throws -> OutputDirectory) throws -> DeepReport {
    var generator = PhiloxGenerator(seed: seed)
    if specification == nil { try requireMemory(rows: settings.observations) }
    let sample = try sample(using: &generator)
    try requireMemory(rows: sample.model.observationCount)
    // Before the training, so that a model that makes no sense is refused at once.
    try sample.model.requireOutcomeToExplain()
    let linear = try TwoStageLeastSquares(sample.model, covariance: .robust)
    // Before the training too: a long run must not end at a place that cannot be written.
    let directory = try directory()
    let problem = DeepProblem(
      sample.model, heldOut: settings.heldOut, unseen: try unseenSample(), using: &generator)
    let fit = DeepFit(settings: settings, problem: problem, seed: seed)
    let interruption = Interruption(
      announcement:
        "Stopping after this iteration, with what is trained by then; once more ends at once."
    )
    let result = try fit.train(until: interruption)
    let evaluation = specification == nil ? DeepEvaluation(sample.model, seed: seed) : nil
    let fitted = try evaluation.map { try fit.structuralFunction(result, at: $0.columns) }
    let errors = evaluation.map {
      $0.errors(
        deep: fitted ?? [], linear: linear,
        naive: fit.naiveRegression(at: $0.columns, until: interruption))
    }
    interruption.end()
    let lines = DeepLine.lines(of: problem, isSimulated: specification == nil)
    let effects = try averageEffects(fit, result, linear)
    let intervals =
      linear.weaknessReason.map { DeepIntervals(withheldBecause: $0) }
      ?? DeepIntervals.of(fit, result, lines: lines)
    let report = DeepReport(
      data: sample.source, outcome: sample.model.outcome.name,
      endogenous: sample.model.endogenous.map(\.name),
      instruments: sample.model.instruments.map(\.name),
      exogenous: sample.model.varyingExogenous.map(\.name), seed: seed,
      n: sample.model.observationCount, droppedRows: sample.droppedRows.count, settings: settings,
      linearAlgebra: Repetition.linearAlgebra, innerLosses: result.innerLosses,
      outerLosses: result.outerLosses, averageEffects: effects, intervals: intervals,
      warnings: DeepWarnings(
        effects, intervals, weaknessReason: linear.weaknessReason,
        rowCount: sample.model.observationCount
      ).list, outOfSample: errors)
    let figure = DeepFigure(
      report: report, fit: fit, result: result, linear: linear, lines: lines)
    let files = try [
      figure.writeCurves(to: directory),
      figure.writePlot(evaluation, fitted: fitted, to: directory),
    ]
    print(DeepSummary(report).text())
    print("Wrote \(files.joined(separator: " and "))")
    return report
  }

  /// Refuses a training that does not fit: the layers of both networks and their derivatives in float32,
  /// and the data in several forms.
  private func requireMemory(rows: Int) throws(NotEnoughMemory) {
    let width = Double(settings.hidden.reduce(0, +) + 2 * settings.features)
    try NotEnoughMemory.refuse(
      Double(rows) * (55 * width + 800),
      for:
        "training on \(Numbers.count(rows)) observations with \(Numbers.count(Int(width))) hidden units "
        + "and features")
  }

  /// As many new observations of the simulated design, for intervals.
  private func unseenSample() throws -> InstrumentalModel? {
    guard specification == nil else { return nil }
    var generator = PhiloxGenerator(seed: seed, stream: 4)
    return try DemandDesign(correlation: settings.correlation)
      .sample(count: settings.observations, using: &generator)
  }

  private func sample(using generator: inout PhiloxGenerator) throws -> RegressionSample {
    if let specification {
      return try RegressionSample(specification, from: try specification.table())
    }
    let design = DemandDesign(correlation: settings.correlation)
    return RegressionSample(
      model: try design.sample(count: settings.observations, using: &generator),
      source: "simulated demand design, ρ = \(settings.correlation)")
  }

  /// Mean derivatives of the fitted structural function over the data, by automatic
  /// differentiation, in units of outcome per unit of the variable.
  private func averageEffects(
    _ fit: DeepFit, _ result: DeepFit.Result, _ linear: TwoStageLeastSquares
  ) throws -> [String: AverageEffect] {
    let problem = fit.problem
    let slopes = try gradient(at: problem.all.treatments) { treatments throws in
      try result.model.structuralFunction(
        at: treatments, first: problem.first, second: problem.second
      ).mean()
    }
    let perUnit = slopes.sum(alongAxis: 0).scalars
    let names = problem.model.endogenous.map(\.name)
    let errors = linear.estimates.keyed(linear.statistics().map(\.standardError))
    return Dictionary(
      uniqueKeysWithValues: names.enumerated().map { index, name in
        (
          name,
          AverageEffect(
            deep: perUnit[index] * problem.outcomeScale.scale
              / problem.treatmentScales[index].scale,
            twoStageLeastSquares: linear.estimates.keyed(linear.estimates.parameters)[name],
            twoStageLeastSquaresStandardError: errors[name] ?? nil,
            ordinaryLeastSquares: linear.ordinary.keyed(linear.ordinary.parameters)[name])
        )
      })
  }
}
