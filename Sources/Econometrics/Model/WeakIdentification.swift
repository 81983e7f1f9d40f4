import Inference

/// The one rule of when weak identification withholds what a normal distribution says of an estimate.
///
/// Below a strength of 10 in the units of a first-stage F (Staiger and Stock 1997) an instrumented
/// estimate is not near normal: its z statistic, its p-value and its interval do not mean what they
/// say, so they are not shown. Two-stage least squares and cross-fitted estimates, in all programs,
/// ask here.
public enum WeakIdentification {
  /// The strength from which statistics are shown.
  public static let limit = 10.0

  /// Whether a strength is too small; one that is not a number is.
  public static func isWeak(_ strength: Double) -> Bool { !(strength >= limit) }

  /// Why statistics are withheld.
  ///
  /// - Parameters:
  ///   - name: What is weakly identified.
  ///   - measure: What the strength is, such as `F`.
  public static func reason(_ name: String, _ measure: String, _ strength: Double) -> String {
    "weak first stage of \(name): \(measure) = \(Numbers.significant(strength)), below "
      + "\(Numbers.short(limit)), so the estimate is not normal and no z, p or interval is to be "
      + "believed"
  }
}
