import Econometrics
import ExampleSupport
import Inference

/// What `deep` cannot claim of its results.
struct DeepWarnings {
  /// The number of rows from which the networks are worth more than a linear fit.
  private static let fewRows = 2000

  /// One sentence or two each.
  let list: [String]

  /// - Parameters:
  ///   - weaknessReason: Why the linear first stage is too weak.
  ///   - rowCount: n.
  init(
    _ effects: [String: AverageEffect], _ intervals: DeepIntervals, weaknessReason: String?,
    rowCount: Int
  ) {
    var list: [String] = []
    if let weaknessReason {
      list.append(
        "Intervals are withheld: \(weaknessReason). A nonlinear first stage may be stronger, which "
          + "is not tested here; neither column of effects is to be relied on.")
    }
    for (name, effect) in effects.sorted(by: { $0.key < $1.key }) {
      list += Self.contradictions(name, effect, intervals.averageEffects?[name])
    }
    if rowCount < Self.fewRows {
      list.append(
        "Few rows: n = \(Numbers.count(rowCount)), below \(Numbers.count(Self.fewRows)). Networks "
          + "learn little from so few, and the penalties pull the effect towards 0; rely on "
          + "'linear'.")
    }
    self.list = list
  }

  /// Where effects differ by more than their errors.
  private static func contradictions(
    _ name: String, _ effect: AverageEffect, _ refitted: DeepIntervals.Effect?
  ) -> [String] {
    var list: [String] = []
    let quantile = NormalDistribution.quantile(0.975)
    if let linear = effect.twoStageLeastSquares,
      let error = effect.twoStageLeastSquaresStandardError
    {
      // Of independent estimates; that from the same rows differ by less.
      let (value, own) = (refitted?.value ?? effect.deep, refitted?.standardError ?? 0)
      let distance = abs(value - linear)
      let limit = quantile * (own * own + error * error).squareRoot()
      if distance > limit {
        list.append(
          "Contradiction: the average effect of \(name) is \(Numbers.significant(value)) "
            + (refitted == nil ? "by the trained function" : "by the refitted head") + " and "
            + "\(Numbers.significant(linear)) (s.e. \(Numbers.significant(error))) by linear 2SLS, "
            + "further apart than both errors explain. Where the effect is far from linear both can "
            + "be right; where it is not, the penalties or the training are to blame. Do not rely "
            + "on either before you know which.")
      }
    }
    if let refitted, !(refitted.lower...refitted.upper).contains(effect.deep) {
      list.append(
        "The trained function's average effect of \(name), \(Numbers.significant(effect.deep)), "
          + "lies outside the interval of the refitted head: the training is not at its optimum, or "
          + "the penalties count.")
    }
    return list
  }
}
