import Autodiff
import Inference
import Solvers

extension AffineProblem {
  /// Fits the nuisances on the training folds of every split and makes the scores of held-out rows.
  ///
  /// - Parameters:
  ///   - score: The orthogonal score, or a baseline.
  ///   - learner: Of the regressions.
  ///   - plan: The splits.
  /// - Throws: `SolverError`, with an `OrthogonalError` where the data or the folds do not allow it.
  public func fit(
    _ score: AffineScore = .orthogonal, nuisances learner: NuisanceLearner,
    crossFitting plan: CrossFitting = CrossFitting()
  ) throws(SolverError) -> AffineFit {
    let (columns, targetNames) = targets
    var (splits, errors): ([AffineFit.Split], [Tensor]) = ([], [])
    for repetition in 0..<plan.repeatCount {
      var generator = plan.generator(repetition)
      let folds = try plan.folds(
        ofRows: count, groups: groups, repetition, using: &generator)
      if !plan.allowsDuplicates { try requireNoDuplicates(across: folds) }
      if plan.sharedNoise == .split, score == .orthogonal {
        let halves = try splitPredictions(learner, folds, generator)
        let (a, b) = (nuisances(of: halves.0), nuisances(of: halves.1))
        let (first, second) = (terms(score, a, leading: b), terms(score, b, leading: a))
        var split = split(
          first.averaged(with: second),
          instrument: first.instrument.averaged(with: second.instrument))
        split.isFitted = true
        splits.append(split)
        errors.append(0.5 * (halves.0 + halves.1) - columns)
      } else {
        let isCorrected = plan.sharedNoise == .corrected && score == .orthogonal
        let (predictions, correction) = try crossFitted(learner, folds, generator, isCorrected)
        let terms = terms(score, nuisances(of: predictions))
        var split = split(terms, instrument: score == .orthogonal ? terms.instrument : nil)
        (split.correction, split.isFitted) = (correction, true)
        splits.append(split)
        errors.append(predictions - columns)
      }
    }
    return AffineFit(
      splits: splits, names: names,
      nuisanceErrors: NuisanceError.outOfFold(errors, columns, targetNames),
      settings: CrossFittedSettings(
        score: score.name, learner: learner.name, plan: "\(plan)",
        sharedNoise: score == .orthogonal ? plan.sharedNoise : .kept))
  }

  /// Scores with given nuisances: the truth of a simulation, or predictions from other data.
  public func fit(
    _ score: AffineScore = .orthogonal, given nuisances: AffineNuisances
  ) throws(SolverError) -> AffineFit {
    let expected: [(Tensor, Shape)] = [
      (nuisances.intercept, [count]), (nuisances.slope, [count, dimension]),
      (nuisances.outcome, [count]),
    ]
    for (tensor, shape) in expected where tensor.shape != shape {
      stop("AffineProblem.fit", "expected nuisances of shape \(shape), found \(tensor.shape)")
    }
    let terms = terms(score, nuisances)
    return AffineFit(
      splits: [split(terms, instrument: score == .orthogonal ? terms.instrument : nil)],
      names: names, nuisanceErrors: [],
      settings: CrossFittedSettings(score: score.name))
  }

  /// Nuisances at the rows of this problem, fitted on another sample of the same population.
  public func nuisances(
    _ learner: NuisanceLearner, trainedOn other: AffineProblem, seed: UInt64 = 0
  ) throws(SolverError) -> AffineNuisances {
    guard other.known == known, other.dimension == dimension else {
      stop(
        "AffineProblem.nuisances",
        """
        the other problem has \(other.dimension) slopes and known \(other.known), expected \
        \(dimension) and \(known): the same targets are regressed in both
        """)
    }
    let regression = try learner.fitted(
      inputs: other.inputs, targets: other.targets.columns, seed: seed)
    return nuisances(of: regression(inputs))
  }

  // MARK: Scores

  /// - Parameter leading: The nuisances whose slope stands for j where it multiplies, if others than
  ///   those of u = h − m.
  private func terms(
    _ score: AffineScore, _ nuisances: AffineNuisances, leading: AffineNuisances? = nil
  ) -> AffineTerms {
    let j = leading?.slope ?? nuisances.slope
    let gapSlope = nuisances.slope - outerSlope
    switch score {
    case .orthogonal:
      return AffineTerms(
        residual: .init(
          factor: j - outerSlope, intercept: innerIntercept - outcome,
          slope: innerSlope - outerSlope),
        nuisance: .init(
          factor: innerSlope - j, intercept: nuisances.intercept - nuisances.outcome,
          slope: gapSlope))
    case .plugIn:
      return AffineTerms(
        residual: .init(
          factor: j - outerSlope, intercept: nuisances.intercept - outcome, slope: gapSlope))
    case .residual:
      let slope = innerSlope - outerSlope
      return AffineTerms(
        residual: .init(factor: slope, intercept: innerIntercept - outcome, slope: slope))
    }
  }

  private func split(_ terms: AffineTerms, instrument: AffineTerms?) -> AffineFit.Split {
    AffineFit.Split(parts: [
      .init(terms: terms, instrumentTerms: instrument, sample: sample, clusters: groups)
    ])
  }

  // MARK: Folds

  /// Predictions of held-out rows, and the correction for noise that they share.
  private func crossFitted(
    _ learner: NuisanceLearner, _ folds: Folds, _ generator: PhiloxGenerator, _ isCorrected: Bool
  ) throws(SolverError) -> (predictions: Tensor, correction: (intercept: Tensor, slope: Tensor)?) {
    var correction = (
      intercept: Tensor.zeros([dimension]), slope: Tensor.zeros([dimension, dimension])
    )
    let predictions = try held(folds) { training, rows, fold throws(SolverError) in
      let regression = try Regression(
        self, learner, on: training, at: inputs.gathering(rows, alongAxis: 0),
        generator.split(key: UInt64(fold)))
      if isCorrected {
        let own = try regression.noiseCorrection()
        let share = Double(rows.elementCount) / Double(count)
        correction.intercept += share * own.intercept
        correction.slope += share * own.slope
      }
      return regression.predictions
    }
    return (predictions, isCorrected ? correction : nil)
  }

  /// Predictions of two fits on disjoint random halves of the training rows; groups stay together.
  private func splitPredictions(
    _ learner: NuisanceLearner, _ folds: Folds, _ generator: PhiloxGenerator
  ) throws(SolverError) -> (Tensor, Tensor) {
    var halves: [Tensor] = []
    for half in 0..<2 {
      halves.append(
        try held(folds) { training, held, fold throws(SolverError) in
          var own = generator.split(key: UInt64(fold))
          let rows = training.scalars.map { Int($0) }
          let groups = groups
          let parts = try Folds(2, ofGroups: rows.map { groups?[$0] ?? $0 }, using: &own)
          let chosen = training.gathering(parts.held(half), alongAxis: 0)
          return try regression(
            learner, on: chosen, at: inputs.gathering(held, alongAxis: 0),
            own.split(key: UInt64(half)))
        })
    }
    return (halves[0], halves[1])
  }

  /// Predictions of held-out rows, put together again.
  private func held(
    _ folds: Folds,
    _ predict: (_ training: Tensor, _ held: Tensor, _ fold: Int) throws(SolverError) -> Tensor
  ) throws(SolverError) -> Tensor {
    var (parts, places): ([Tensor], [Tensor]) = ([], [])
    for fold in 0..<folds.count {
      let rows = folds.held(fold)
      parts.append(try predict(folds.training(fold), rows, fold))
      places.append(rows)
    }
    return .reassembled(parts, at: places)
  }

  /// Predictions of all targets at points, [k, c], by a fit on some rows.
  func regression(
    _ learner: NuisanceLearner, on training: Tensor, at points: Tensor,
    _ generator: PhiloxGenerator
  ) throws(SolverError) -> Tensor {
    try Regression(self, learner, on: training, at: points, generator).predictions
  }

  func requireNoDuplicates(across folds: Folds) throws(SolverError) {
    let all = Tensor.concatenated(
      [
        inputs, innerIntercept.expandingShape(at: 1), innerSlope, outcome.expandingShape(at: 1),
        outerSlope,
      ], alongAxis: 1)
    try folds.requireApart(all)
  }
}
