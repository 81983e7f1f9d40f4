import Autodiff
import Inference
import Solvers

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
  /// The values of a single ω that a test of E[g_ω − y | X] = 0 does not reject.
  ///
  ///     { ω : (mean ψ(ω))² ≤ χ²₁(level) (1 + ν) Var(mean ψ(ω)) },   ψ = (ĵ − k)(g_ω − y)
  ///
  /// At the true ω of a well-specified problem (instrumental variables, a Bellman equation) ψ has mean
  /// zero given X whatever ĵ is, as long as ĵ was fitted on other rows; so the set covers however weak
  /// the instruments are, where the Wald interval of `root()`, which divides by the slope of the score,
  /// does not (Anderson and Rubin 1949, with a cross-fitted instrument). The whole orthogonal score will
  /// not do: where j is lost in noise its products of errors are as large as the rest.
  ///
  /// Rows of different folds train each other's ĵ. Where ĵ is all noise, that correlates ψᵢ and ψᵢ′ by at
  /// most as much as they vary, so ν, the share of the mean square of ĵ − k that is noise of the training
  /// rows, makes the variance large enough; it is near 0 for strong instruments, 1 where the share is not
  /// known (`sharedNoise` other than `.corrected`) and 0 for given nuisances. The set can be unbounded.
  /// An affine ψ makes it the solution of a quadratic inequality.
  ///
  /// Of several splits, ψ's mean and variance are medians.
  ///
  /// - Precondition: An orthogonal fit of one sample in which ω has one coordinate; the level lies
  ///   between 0 and 1.
  public func robustSet(level: Double = 0.95) throws(SolverError) -> ConfidenceSet {
    guard level > 0, level < 1 else {
      stop("AffineFit.robustSet", "expected a level between 0 and 1, found \(level)")
    }
    guard dimension == 1 else {
      stop(
        "AffineFit.robustSet",
        "ω has \(dimension) coordinates, and the set is for one; test given values by jointTest() "
          + "of hypergradient(at:)")
    }
    guard splits.allSatisfy({ $0.parts.allSatisfy { $0.instrumentTerms != nil } }) else {
      stop("AffineFit.robustSet", "the set takes an orthogonal fit of one sample")
    }
    let parts = try Estimate.aggregated(splits) { split throws(SolverError) in
      let instruments = AffineFit.Split(
        parts: split.parts.compactMap { part in
          part.instrumentTerms.map {
            .init(terms: $0, sample: part.sample, clusters: part.clusters)
          }
        })
      return try instruments.estimate(["intercept", "slope"], shift: .zeros([2])) { terms in
        let intercept = terms.rows(at: .zeros([1]))
        return .concatenated([intercept, terms.rows(at: .ones([1])) - intercept], alongAxis: 1)
      }
    }
    let (value, covariance) = (parts.value.scalars, parts.covariance.scalars)
    let z = NormalDistribution.quantile(0.5 + level / 2)
    let noise = splits.reduce(0.0) { $0 + $1.instrumentNoise } / Double(splits.count)
    let limit = z * z * (1 + noise)
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

extension AffineFit.Split {
  /// ν, the share of the mean square of ĵ − k that is noise of the training rows, for one coordinate.
  fileprivate var instrumentNoise: Double {
    guard isFitted else { return 0 }
    guard let correction, let instrument = parts.first?.instrumentTerms else { return 1 }
    let size = square(instrument.pairs[0].residual.factor).mean().scalar
    return size > 0 ? Swift.min(1, abs(correction.slope.sum().scalar) / size) : 1
  }
}
