import Autodiff
import Inference

/// Values of one number that a test does not reject; not always an interval.
public enum ConfidenceSet: Sendable, Equatable {
  /// lower ≤ ω ≤ upper.
  case interval(lower: Double, upper: Double)
  /// ω ≤ lower or ω ≥ upper: the data are so weak that a bounded set would not cover.
  case complement(lower: Double, upper: Double)
  /// Every number: the data say nothing.
  case everything
  /// No number: the model is rejected.
  case nothing
}

extension AffineFit {
  /// The values of a single ω at which the gradient is not significantly different from zero.
  ///
  ///     { ω : (mean φ(ω))² ≤ χ²₁(level) Var(mean φ(ω)) }
  ///
  /// Unlike the Wald interval of `root()` it covers however weak the instruments are, because nothing
  /// is divided by the slope of the score (Anderson and Rubin 1949). Affine scores make it the solution
  /// of a quadratic inequality.
  ///
  /// - Precondition: ω has one coordinate, and the level lies between 0 and 1.
  public func robustSet(level: Double = 0.95) throws(BilevelError) -> ConfidenceSet {
    guard dimension == 1 else {
      stop(
        "AffineFit.robustSet",
        "ω has \(dimension) coordinates, and the set is for one; test given values by jointTest() "
          + "of hypergradient(at:)")
    }
    guard level > 0, level < 1 else {
      stop("AffineFit.robustSet", "expected a level between 0 and 1, found \(level)")
    }
    let parts = try aggregated { split throws(InferenceError) in
      let (zero, one) = (split.shift(at: .zeros([1])), split.shift(at: .ones([1])))
      let shift = Tensor.concatenated([zero, one - zero], alongAxis: 0)
      return try split.estimate(["intercept", "slope"], shift: shift) { terms in
        let intercept = terms.rows(at: .zeros([1]))
        return .concatenated([intercept, terms.rows(at: .ones([1])) - intercept], alongAxis: 1)
      }
    }
    let (value, covariance) = (parts.value.scalars, parts.covariance.scalars)
    let z = NormalDistribution.quantile(0.5 + level / 2)
    let limit = z * z
    // a ω² + 2 b ω + c ≤ 0.
    let a = value[1] * value[1] - limit * covariance[3]
    let b = value[0] * value[1] - limit * covariance[1]
    let c = value[0] * value[0] - limit * covariance[0]
    let discriminant = b * b - a * c
    guard discriminant > 0 else { return a > 0 || (a == 0 && c > 0) ? .nothing : .everything }
    guard a != 0 else {
      let end = -c / (2 * b)
      return b > 0
        ? .interval(lower: -.infinity, upper: end) : .interval(lower: end, upper: .infinity)
    }
    let root = discriminant.squareRoot()
    let ends = [(-b - root) / a, (-b + root) / a].sorted()
    return a > 0
      ? .interval(lower: ends[0], upper: ends[1]) : .complement(lower: ends[0], upper: ends[1])
  }
}
