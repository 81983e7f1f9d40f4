import Autodiff

/// The multiplier bootstrap: the error of an estimate is simulated by giving each independent unit a
/// random weight.
///
/// A draw is Σₛ cₛ Sₛᵀξₛ, where the rows of Sₛ are the sums of the influence rows of each unit, the ξ
/// are independent of mean 0 and variance 1, and cₛ = √(Gₛ/(Gₛ − 1))/nₛ, so that given the data a draw
/// has exactly the covariance of the estimate (Chernozhukov, Chetverikov and Kato, Gaussian
/// approximations and multiplier bootstrap, 2013). All rows of a cluster share a
/// multiplier. The multiplier of a unit in a draw is a pure function of the seed and the positions of
/// sample, draw and unit; on the built-in matrix product the bits do not depend on the number of
/// threads.
public struct MultiplierBootstrap: Sendable {
  /// The distribution of the multipliers, of mean 0 and variance 1.
  public enum Multipliers: String, Sendable, Codable {
    /// Standard normal.
    case normal
    /// −1 and 1, equally likely.
    case rademacher
    /// (1 ∓ √5)/2, so that the third moment is 1 too (Mammen 1993).
    case mammen
  }

  /// The number of draws.
  public var draws: Int

  /// The seed of the multipliers.
  public var seed: UInt64

  /// The distribution of the multipliers.
  public var multipliers: Multipliers

  /// Creates a bootstrap of so many draws; the same seed gives the same draws.
  ///
  /// - Precondition: `draws` is positive.
  public init(draws: Int = 2000, seed: UInt64, multipliers: Multipliers = .normal) {
    guard draws > 0 else {
      stop("MultiplierBootstrap.init", "expected at least one draw, found \(draws). Take 2000")
    }
    self.draws = draws
    self.seed = seed
    self.multipliers = multipliers
  }

  /// The critical value of simultaneous intervals: the quantile at `level` of the largest absolute
  /// t statistic.
  ///
  /// - Throws: `InferenceError` where no coordinate varies or the level takes more draws.
  /// - Precondition: `level` lies between 0 and 1.
  public func criticalValue(
    of estimate: Estimate, level: Double = 0.95
  ) throws(InferenceError) -> Double {
    requireLevel(level, "MultiplierBootstrap.criticalValue")
    // The draws and the estimate's own statistic are exchangeable, so there are draws + 1 of them.
    let rank = Int((level * Double(draws + 1)).rounded(.up))
    guard rank <= draws else {
      let needed = (level / (1 - level)).rounded(.up)
      throw .tooFewDraws(found: draws, needed: Int(exactly: needed) ?? .max)
    }
    guard (estimate.standardErrors .> 0).anyTrue else {
      throw .noVariance(coordinates: estimate.names)
    }
    return maxima(of: estimate).sorted()[rank - 1]
  }

  /// The largest absolute t statistic of each draw, over the coordinates that vary.
  public func maxima(of estimate: Estimate) -> [Double] {
    var maxima: [Double] = []
    forEachBlock(of: estimate) { maxima += $0.max(alongAxis: 1).scalars }
    return maxima
  }

  /// Calls `body` with the absolute t statistics of some draws at a time, [b, d], draws in order;
  /// 0 where a coordinate does not vary.
  func forEachBlock(of estimate: Estimate, _ body: (Tensor) -> Void) {
    let errors = estimate.standardErrors
    let precision = select(errors .> 0, 1 / errors, Tensor.zeros(like: errors))
    let samples = estimate.influence.map { (sums: $0.unitSums, scale: $0.scale) }
    // Blocks bound the memory, whatever the numbers of draws, units and coordinates.
    let blockSize = min(64, max(1, 1 << 22 / estimate.count))
    for start in stride(from: 0, to: draws, by: blockSize) {
      let block = start..<min(start + blockSize, draws)
      var sums = Tensor.zeros([block.count, estimate.count])
      for (index, sample) in samples.enumerated() {
        for start in stride(from: 0, to: sample.sums.shape[0], by: 1 << 14) {
          let part = start..<min(start + 1 << 14, sample.sums.shape[0])
          let random = sample.scale * weights(index, block, part)
          sums += matmul(random, sample.sums.slice(part, alongAxis: 0))
        }
      }
      body(abs(sums * precision))
    }
  }

  /// The multipliers of some units of a sample in some draws, [draws, units].
  private func weights(_ sample: Int, _ draws: Range<Int>, _ units: Range<Int>) -> Tensor {
    let generator = PhiloxGenerator(seed: seed).split(key: UInt64(sample))
    return Tensor.stacked(
      draws.map { draw in
        var generator = generator.split(key: UInt64(draw))
        generator.skip(ahead: UInt64(units.lowerBound))
        return weights(units.count, &generator)
      })
  }

  private func weights(_ count: Int, _ generator: inout PhiloxGenerator) -> Tensor {
    switch multipliers {
    case .normal:
      return Tensor.normal([count], using: &generator)
    case .rademacher:
      return sign(Tensor.uniform([count], using: &generator) - 0.5 + 0x1p-60)
    case .mammen:
      let root = 5.0.squareRoot()
      let isLow = Tensor.uniform([count], using: &generator) .< ((root + 1) / (2 * root))
      return select(
        isLow, Tensor(repeating: (1 - root) / 2, shape: [count]),
        Tensor(repeating: (1 + root) / 2, shape: [count]))
    }
  }
}
