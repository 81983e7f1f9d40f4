import Autodiff

/// Observations of the dSprites benchmark, one row each.
public struct DSpritesSample: Sendable {
  /// What the images show.
  public let latents: [SpriteLatents]
  /// Images with noise, [n, 4096].
  public let treatments: Tensor
  /// Scale, orientation in radians and x, [n, 3].
  public let instruments: Tensor
  /// f(t) + ε, [n, 1].
  public let outcomes: Tensor
  /// f(t), which no estimator may see, [n, 1].
  public let structuralValues: Tensor

  /// The number of observations.
  public var count: Int { latents.count }

  /// The observations of some rows, in their order.
  ///
  /// - Precondition: Every row exists.
  public func rows(_ rows: [Int]) -> DSpritesSample {
    let indices = Tensor(indices: rows)
    return DSpritesSample(
      latents: rows.map { latents[$0] },
      treatments: treatments.gathering(indices, alongAxis: 0),
      instruments: instruments.gathering(indices, alongAxis: 0),
      outcomes: outcomes.gathering(indices, alongAxis: 0),
      structuralValues: structuralValues.gathering(indices, alongAxis: 0))
  }

  /// Two halves by a random permutation, for the first and the second stage; of an odd number of
  /// rows the second half has one more.
  public func split(seed: UInt64) -> (first: DSpritesSample, second: DSpritesSample) {
    var generator = PhiloxGenerator(seed: seed, stream: 103)
    let order = Tensor.permutation(count, using: &generator).elements(as: Int32.self).map(Int.init)
    return (rows(Array(order[..<(count / 2)])), rows(Array(order[(count / 2)...])))
  }
}

/// Images without noise and the values of the structural function, to judge a fit by.
public struct DSpritesEvaluation: Sendable {
  /// What the images show.
  public let latents: [SpriteLatents]
  /// Images, [n, 4096].
  public let treatments: Tensor
  /// f(t), [n, 1].
  public let structuralValues: Tensor
}
