import Autodiff
import Inference
import Solvers

/// Which rows estimate the gradient of an affine problem.
public enum AffineScore: Sendable {
  /// The efficient score φ = (j − k)(g − y) + (dg − j)(h − m): errors of nuisances enter only by
  /// their products.
  case orthogonal
  /// The functional hypergradient (j − k)(h − y): biased by every error of a nuisance.
  case plugIn
  /// (dg − k)(g − y) without any nuisance: off by E[Cov(dg, g | X)] on any amount of data.
  case residual
}

/// Cross-fitted scores of an affine problem for every ω.
public struct AffineFit: Sendable {
  /// One split of the sample: rows of each independent sample.
  struct Split: Sendable {
    struct Part: Sendable {
      let terms: AffineTerms
      /// (j − k)(g − y), whose mean at the true ω is zero for any j; nil where g and y are not seen
      /// together, or j is not used.
      var instrumentTerms: AffineTerms?
      let sample: SampleIdentity
      let clusters: [Int]?
    }

    let parts: [Part]
    /// Δ(ω) = δ + D ω, added to the mean of the rows: δ is [d] and D is [d, d].
    var correction: (intercept: Tensor, slope: Tensor)?
    /// Whether j comes from rows of the same sample, whose noise it has.
    var isFitted = false
  }

  let splits: [Split]
  /// A name for every coordinate of ω.
  public let names: [String]
  /// How well the nuisances predict rows they were not fitted on.
  public let nuisanceErrors: [NuisanceError]
  let settings: CrossFittedSettings

  /// d.
  public var dimension: Int { names.count }

  /// The hypergradient at ω, [d]: of several splits the median.
  public func hypergradient(at outer: Tensor) throws(SolverError) -> Estimate {
    guard outer.shape == [dimension] else {
      stop("AffineFit.hypergradient", "expected ω as [\(dimension)], found \(outer.shape)")
    }
    let outer = outer.cast(to: .float64)
    return try Estimate.aggregated(splits) { split throws(SolverError) in
      try split.estimate(names, shift: split.shift(at: outer)) { $0.rows(at: outer) }
    }
  }

  /// Hypergradients at several ω as one estimate, whose simultaneous intervals are a band.
  public func hypergradients(at grid: [Tensor]) throws(SolverError) -> Estimate {
    guard !grid.isEmpty else { stop("AffineFit.hypergradients", "the grid has no ω") }
    var estimates: [Estimate] = []
    for outer in grid { estimates.append(try hypergradient(at: outer)) }
    return Estimate.stacked(estimates, labels: grid.indices.map { "ω\($0)" })
  }

  /// The mean derivative of the score in ω, the Hessian of F, [d, d]: the mean over splits.
  public var meanSlope: Tensor {
    splits.dropFirst().reduce(splits[0].meanSlope) { $0 + $1.meanSlope } / Double(splits.count)
  }
}

extension AffineFit.Split {
  var meanSlope: Tensor {
    let slope = parts.dropFirst().reduce(parts[0].terms.meanSlope) { $0 + $1.terms.meanSlope }
    return correction.map { slope + $0.slope } ?? slope
  }

  /// The gradient at ω, [d].
  func gradient(at outer: Tensor) -> Tensor {
    let means = parts.map { $0.terms.rows(at: outer).mean(alongAxis: 0) }
    return means.dropFirst().reduce(means[0]) { $0 + $1 } + shift(at: outer)
  }

  /// Δ(ω), [d].
  func shift(at outer: Tensor) -> Tensor {
    guard let correction else { return .zeros(outer.shape) }
    return correction.intercept
      + matmul(correction.slope, outer.expandingShape(at: 1)).squeezingShape(at: 1)
  }

  /// The estimate whose rows are a function of the terms.
  ///
  /// - Parameter shift: What is added to their mean.
  func estimate(
    _ names: [String], shift: Tensor, _ rows: (AffineTerms) -> Tensor
  ) throws(SolverError) -> Estimate {
    var value = shift
    return try calling {
      let influence = try parts.map { part in
        let partRows = rows(part.terms)
        value += partRows.mean(alongAxis: 0)
        return try InfluenceRows(partRows, sample: part.sample, clusters: part.clusters)
      }
      return try Estimate(value: value, names: names, influence: influence)
    }
  }
}
