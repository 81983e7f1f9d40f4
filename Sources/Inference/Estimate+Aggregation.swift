import Autodiff

// Repeated random splits of one sample give estimates that differ by the luck of the split; their
// centre does not depend on it, and its standard error says how much they differed (Chernozhukov et
// al., Double/debiased machine learning, 2018, section 3.4).

extension Estimate {
  /// The coordinate-wise median θ̃ of estimates from repeated splits of the same samples.
  ///
  /// Standard errors: se² = medianₛ(seₛ² + (θ̂ₛ − θ̃)²). Influence rows: the mean over splits, each
  /// coordinate scaled to that standard error, so that covariances and arithmetic stay available.
  ///
  /// - Throws: `InferenceError` for different samples, or where splits differ in a coordinate whose
  ///   rows do not vary.
  /// - Precondition: At least one estimate, all of equally many coordinates.
  public static func medianAggregated(_ estimates: [Estimate]) throws(InferenceError) -> Estimate {
    try aggregated(estimates, "Estimate.medianAggregated", centre: median)
  }

  /// The coordinate-wise mean θ̃ of estimates from repeated splits of the same samples.
  ///
  /// As `medianAggregated(_:)`, with se² = meanₛ(seₛ² + (θ̂ₛ − θ̃)²). One wild split moves it.
  ///
  /// - Throws: `InferenceError` for different samples, or where splits differ in a coordinate whose
  ///   rows do not vary.
  /// - Precondition: At least one estimate, all of equally many coordinates.
  public static func meanAggregated(_ estimates: [Estimate]) throws(InferenceError) -> Estimate {
    try aggregated(estimates, "Estimate.meanAggregated") { $0.mean(alongAxis: 0) }
  }

  private static func aggregated(
    _ estimates: [Estimate], _ operation: String, centre: (Tensor) -> Tensor
  ) throws(InferenceError) -> Estimate {
    guard let first = estimates.first, estimates.allSatisfy({ $0.count == first.count }) else {
      stop(
        operation,
        "expected estimates of equally many coordinates, found "
          + "\(estimates.map(\.count)). Give at least one, all of the same parameter")
    }
    var sums = first.influence
    for (position, estimate) in estimates.enumerated().dropFirst() {
      guard estimate.influence.count == sums.count else {
        throw .differentSamples(estimate: position)
      }
      for part in estimate.influence {
        guard let index = sums.firstIndex(where: part.isAligned) else {
          throw .differentSamples(estimate: position)
        }
        sums[index] = sums[index].map { $0 + part.rows }
      }
    }
    let values = Tensor.stacked(estimates.map(\.value))
    let value = centre(values)
    let variances = Tensor.stacked(estimates.map { square($0.standardErrors) })
    let target = sqrt(centre(variances + square(values - value)))

    let share = 1 / Double(estimates.count)
    let mean = Estimate(checked: value, first.names, sums.map { $0.map { share * $0 } })
    let found = mean.standardErrors
    let isConstant = found .== 0
    // Values that rounding alone tells apart are the same.
    let rounding = 1e-13 * values.normInfinity(alongAxes: [0])
    let fixed = (isConstant .& (target .> rounding)).elements(as: Bool.self)
    guard !fixed.contains(true) else {
      throw .noVariance(
        coordinates: first.names.indices.filter { fixed[$0] }.map { first.names[$0] })
    }
    let scale = select(isConstant, Tensor.ones(like: found), target / found)
    return Estimate(checked: value, first.names, mean.influence.map { $0.map { $0 * scale } })
  }

  /// The median of each column of [s, d]; the mean of the two in the middle for even s.
  private static func median(_ rows: Tensor) -> Tensor {
    let (count, width) = (rows.shape[0], rows.shape[1])
    let elements = rows.scalars
    return Tensor(
      (0..<width).map { column in
        let sorted = (0..<count).map { elements[$0 * width + column] }.sorted()
        let upper = sorted[count / 2]
        return count % 2 == 1 ? upper : 0.5 * (sorted[count / 2 - 1] + upper)
      })
  }
}
