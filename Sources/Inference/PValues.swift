import Autodiff

/// How p-values of several coordinates are adjusted, so that the chance of rejecting any true
/// hypothesis stays below the level (the family-wise error rate).
public enum MultiplicityAdjustment: Sendable {
  /// d times the p-value (Bonferroni).
  case bonferroni
  /// The step-down form of Bonferroni, never larger (Holm 1979).
  case holm
  /// The step-down test on bootstrap draws of the largest statistic, which uses the dependence
  /// between coordinates (Romano and Wolf 2005); at least 1/(draws + 1).
  case romanoWolf(MultiplierBootstrap)
}

extension Estimate {
  /// (θ̂ₖ − θ₀ₖ) / seₖ, [d]; NaN where the standard error is 0.
  ///
  /// - Parameter null: θ₀, [d]; 0 by default.
  public func zStatistics(null: Tensor? = nil) -> Tensor {
    let difference = difference(from: null, "Estimate.zStatistics")
    let errors = standardErrors
    return select(
      errors .> 0, difference / errors, Tensor(repeating: .nan, shape: errors.shape))
  }

  /// The two-sided p-value of each hypothesis θₖ = θ₀ₖ by itself, [d]; NaN where the standard error
  /// is 0.
  ///
  /// Of many true hypotheses some have a small p-value: see `adjustedPValues(_:null:)` and
  /// `jointTest(null:reference:)`.
  ///
  /// - Parameter null: θ₀, [d]; 0 by default.
  public func pValues(null: Tensor? = nil) -> Tensor {
    Tensor(zStatistics(null: null).scalars.map(NormalDistribution.twoSidedPValue))
  }

  /// p-values adjusted for testing all coordinates, [d]; NaN where the standard error is 0.
  ///
  /// Coordinates without variance are not counted.
  ///
  /// - Parameters:
  ///   - adjustment: The method.
  ///   - null: θ₀, [d]; 0 by default.
  public func adjustedPValues(
    _ adjustment: MultiplicityAdjustment, null: Tensor? = nil
  ) -> Tensor {
    let statistics = zStatistics(null: null).scalars.map(\.magnitude)
    let order = statistics.indices.filter { !statistics[$0].isNaN }
      .sorted { (statistics[$0], $1) > (statistics[$1], $0) }
    let single = order.map { NormalDistribution.twoSidedPValue(statistics[$0]) }
    let ordered: [Double]
    switch adjustment {
    case .bonferroni:
      ordered = single.map { min(1, $0 * Double(order.count)) }
    case .holm:
      ordered = Self.stepDown(
        single.enumerated().map { min(1, $1 * Double(order.count - $0)) })
    case .romanoWolf(let bootstrap):
      ordered = Self.stepDown(
        bootstrap.exceedances(of: order.map { statistics[$0] }, at: order, of: self))
    }
    var result = [Double](repeating: .nan, count: count)
    for (coordinate, pValue) in zip(order, ordered) { result[coordinate] = pValue }
    return Tensor(result)
  }

  /// No hypothesis is rejected before one with a larger statistic.
  private static func stepDown(_ pValues: [Double]) -> [Double] {
    var largest = 0.0
    return pValues.map { pValue in
      largest = max(largest, pValue)
      return largest
    }
  }
}

extension MultiplierBootstrap {
  /// For each statistic the share of draws whose largest t statistic over this and all later
  /// coordinates reaches it, the estimate itself counted as a draw.
  fileprivate func exceedances(
    of statistics: [Double], at coordinates: [Int], of estimate: Estimate
  ) -> [Double] {
    let width = coordinates.count
    guard width > 0 else { return [] }
    var counts = [Int](repeating: 1, count: width)
    let columns = Tensor(indices: coordinates)
    forEachBlock(of: estimate) { block in
      let elements = block.gathering(columns, alongAxis: 1).scalars
      for row in stride(from: 0, to: elements.count, by: width) {
        var largest = 0.0
        for position in (0..<width).reversed() {
          largest = max(largest, elements[row + position])
          if largest >= statistics[position] { counts[position] += 1 }
        }
      }
    }
    return counts.map { Double($0) / Double(draws + 1) }
  }
}
