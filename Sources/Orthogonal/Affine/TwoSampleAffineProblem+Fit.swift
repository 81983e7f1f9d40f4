import Autodiff
import Inference
import Solvers

extension TwoSampleAffineProblem {
  /// Fits the nuisances on the training folds of both samples and makes the scores of held-out rows.
  ///
  /// - Parameters:
  ///   - score: `.orthogonal`, or `.plugIn` for the outer part alone.
  ///   - learner: Of the regressions in both samples.
  ///   - plan: The splits.
  public func fit(
    _ score: AffineScore = .orthogonal, nuisances learner: NuisanceLearner,
    crossFitting plan: CrossFitting = CrossFitting()
  ) throws(SolverError) -> AffineFit {
    plan.requireNoSplit("TwoSampleAffineProblem.fit", "problems of two samples")
    requireScore(score)
    guard plan.folds == nil else {
      stop("TwoSampleAffineProblem.fit", "given folds are for one sample; give foldCount")
    }
    let isCorrected = score == .orthogonal && plan.sharedNoise == .corrected
    var splits: [AffineFit.Split] = []
    for repetition in 0..<plan.repeatCount {
      let generator = plan.generator(repetition)
      var (innerDraws, outerDraws) = (generator.split(key: 0), generator.split(key: 1))
      let innerFolds = try Folds(plan.foldCount, ofRows: inner.count, using: &innerDraws)
      let outerFolds = try Folds(plan.foldCount, ofRows: outer.count, using: &outerDraws)
      if !plan.allowsDuplicates {
        try inner.requireNoDuplicates(across: innerFolds)
        try outer.requireNoDuplicates(across: outerFolds)
      }
      var atInner: [(predictions: Tensor, outcome: Tensor, ratio: Tensor)] = []
      var (atOuter, innerRows, outerRows): ([Tensor], [Tensor], [Tensor]) = ([], [], [])
      let dimension = inner.dimension
      var correction = (
        intercept: Tensor.zeros([dimension]), slope: Tensor.zeros([dimension, dimension])
      )
      for fold in 0..<plan.foldCount {
        let (heldInner, heldOuter) = (innerFolds.held(fold), outerFolds.held(fold))
        let (innerInputs, outerInputs) = (
          inner.inputs.gathering(heldInner, alongAxis: 0),
          outer.inputs.gathering(heldOuter, alongAxis: 0)
        )
        let points = Tensor.concatenated([innerInputs, outerInputs], alongAxis: 0)
        let regression = try Regression(
          inner, learner, on: innerFolds.training(fold), at: points,
          innerDraws.split(key: UInt64(fold)))
        let predictions = regression.predictions
        let outcome = try outer.regression(
          learner, on: outerFolds.training(fold), at: innerInputs,
          outerDraws.split(key: UInt64(fold)))
        let count = heldInner.elementCount
        if isCorrected {
          // j and h share the noise of the inner sample; m is of the other one.
          let own = try regression.noiseCorrection(
            at: .concatenated([.zeros([count]), .ones([heldOuter.elementCount])], alongAxis: 0))
          let share = Double(heldOuter.elementCount) / Double(outer.count)
          correction.intercept += share * own.intercept
          correction.slope += share * own.slope
        }
        atInner.append(
          (
            predictions.slice(0..<count, alongAxis: 0), outcome,
            try ratio(heldInner, innerFolds.training(fold), outerFolds.training(fold))
          ))
        atOuter.append(predictions.slice(count..<predictions.shape[0], alongAxis: 0))
        innerRows.append(heldInner)
        outerRows.append(heldOuter)
      }
      var split = split(
        score,
        inner: inner.nuisances(
          of: .reassembled(atInner.map { $0.predictions }, at: innerRows),
          outcome: .reassembled(atInner.map { $0.outcome }, at: innerRows)[0..., 0]),
        outer: inner.nuisances(
          of: .reassembled(atOuter, at: outerRows),
          intercept: inner.known.intercept ? .zeros([outer.count]) : nil,
          outcome: .zeros([outer.count])),
        ratio: .reassembled(atInner.map { $0.ratio }, at: innerRows))
      if isCorrected { split.correction = correction }
      splits.append(split)
    }
    return AffineFit(
      splits: splits, names: inner.names, nuisanceErrors: [],
      settings: CrossFittedSettings(
        score: "\(score.name), two samples", learner: learner.name, plan: "\(plan)",
        sharedNoise: isCorrected ? .corrected : .kept))
  }

  /// Scores with given nuisances at the rows of each sample; the outcome's is used at inner rows.
  public func fit(
    _ score: AffineScore = .orthogonal, given innerNuisances: AffineNuisances,
    outer outerNuisances: AffineNuisances
  ) throws(SolverError) -> AffineFit {
    requireScore(score)
    let atOuter: [(Tensor, Shape)] = [
      (outerNuisances.intercept, [outer.count]), (outerNuisances.slope, outer.innerSlope.shape),
    ]
    let atInner: [(Tensor, Shape)] = [
      (innerNuisances.intercept, [inner.count]), (innerNuisances.slope, inner.innerSlope.shape),
      (innerNuisances.outcome, [inner.count]),
    ]
    // A plug-in takes nothing of the inner sample.
    for (tensor, shape) in atOuter + (score == .orthogonal ? atInner : [])
    where tensor.shape != shape {
      stop(
        "TwoSampleAffineProblem.fit",
        "expected nuisances of shape \(shape), found \(tensor.shape)")
    }
    var ratio = Tensor.ones([inner.count])
    switch densityRatio {
    case .one: break
    case .known(let given): ratio = given
    case .estimated:
      guard score == .plugIn else {
        stop(
          "TwoSampleAffineProblem.fit",
          "nuisances are given, but the density ratio is to be estimated; give it as .known")
      }
    }
    return AffineFit(
      splits: [split(score, inner: innerNuisances, outer: outerNuisances, ratio: ratio)],
      names: inner.names, nuisanceErrors: [],
      settings: CrossFittedSettings(score: "\(score.name), two samples"))
  }

  /// A single-sample residual takes g and y of the same rows.
  private func requireScore(_ score: AffineScore) {
    guard case .residual = score else { return }
    stop(
      "TwoSampleAffineProblem.fit",
      "a residual g − y takes both in one sample; use .plugIn")
  }

  private func split(
    _ score: AffineScore, inner atInner: AffineNuisances, outer atOuter: AffineNuisances,
    ratio: Tensor
  ) -> AffineFit.Split {
    let outerTerms = AffineTerms(
      residual: .init(
        factor: atOuter.slope, intercept: atOuter.intercept - outer.outcome, slope: atOuter.slope))
    let outerPart = AffineFit.Split.Part(
      terms: outerTerms, sample: outer.sample, clusters: outer.groups)
    guard case .orthogonal = score else { return AffineFit.Split(parts: [outerPart]) }
    let weight = ratio.expandingShape(at: 1)
    let residual = inner.innerSlope - atInner.slope
    let innerTerms = AffineTerms(
      residual: .init(
        factor: weight * atInner.slope, intercept: inner.innerIntercept - atInner.intercept,
        slope: residual),
      nuisance: .init(
        factor: weight * residual, intercept: atInner.intercept - atInner.outcome,
        slope: atInner.slope))
    return AffineFit.Split(parts: [
      outerPart, .init(terms: innerTerms, sample: inner.sample, clusters: inner.groups),
    ])
  }

  /// ρ at held-out inner rows.
  private func ratio(
    _ held: Tensor, _ innerTraining: Tensor, _ outerTraining: Tensor
  ) throws(SolverError) -> Tensor {
    switch densityRatio {
    case .one: return .ones([held.elementCount])
    case .known(let ratio): return ratio.gathering(held, alongAxis: 0)
    case .estimated(let linearClass, let limit):
      return try DensityRatio.estimate(
        in: linearClass, limit: limit, inner: inner.inputs.gathering(innerTraining, alongAxis: 0),
        outer: outer.inputs.gathering(outerTraining, alongAxis: 0),
        at: inner.inputs.gathering(held, alongAxis: 0))
    }
  }
}
