import Foundation

/// The least-squares slope of log `values` against log `errors`, over the pairs above a floor.
///
/// An estimator whose error is C |x - x*|^k has the slope k.
///
/// - Parameters:
///   - errors: Inner errors; pairs with one that is not positive are left out.
///   - values: Errors of the estimate.
///   - floor: Pairs with a value up to it are left out: there rounding is all that is left.
/// - Returns: nil with fewer than three pairs, or if all errors are the same.
public func logLogSlope(errors: [Double], values: [Double], floor: Double = 0) -> Double? {
  let pairs = zip(errors, values).filter { error, value in
    error > 0 && error.isFinite && value > max(floor, 0) && value.isFinite
  }
  guard pairs.count >= 3 else { return nil }
  let x = pairs.map { log($0.0) }
  let y = pairs.map { log($0.1) }
  let (centerX, centerY) = (mean(x), mean(y))
  let spread = x.reduce(0) { $0 + ($1 - centerX) * ($1 - centerX) }
  guard spread > 1e-20 * Double(x.count) else { return nil }
  let products = zip(x, y).reduce(0) { $0 + ($1.0 - centerX) * ($1.1 - centerY) }
  return products / spread
}

/// The quantile at `probability`; nil without values.
///
/// Ordered values are interpolated linearly (type 7 of Hyndman and Fan 1996, NumPy's default).
/// Values that are NaN are left out.
///
/// - Precondition: `probability` is in [0, 1].
public func quantile(_ values: [Double], _ probability: Double) -> Double? {
  guard (0...1).contains(probability) else {
    fatalError("quantile: the probability \(probability) is not between 0 and 1")
  }
  let sorted = values.filter { !$0.isNaN }.sorted()
  guard let last = sorted.last else { return nil }
  let position = probability * Double(sorted.count - 1)
  let index = Int(position)
  guard index + 1 < sorted.count else { return last }
  let (low, high) = (sorted[index], sorted[index + 1])
  // Equal infinities have no difference.
  return low == high ? low : low + (position - Double(index)) * (high - low)
}

/// The median; nil without values.
public func median(_ values: [Double]) -> Double? { quantile(values, 0.5) }

private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
