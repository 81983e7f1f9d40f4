/// Why there is no estimate, or no interval for one.
public enum InferenceError: Error {
  /// Influence rows hold infinite or NaN elements, most of them in one coordinate.
  case nonFiniteRows(coordinate: Int, count: Int, rows: Int)
  /// The coordinates named have an estimate that is infinite or NaN.
  case nonFiniteValues(coordinates: [String])
  /// The coordinates named have a derivative that is infinite or NaN.
  case nonFiniteDerivative(coordinates: [String])
  /// A variance takes two independent units.
  case tooFewUnits(found: Int, areClusters: Bool)
  /// An estimate without coordinates.
  case noCoordinates
  /// The number of names is not that of coordinates.
  case nameCount(expected: Int, found: Int)
  /// Estimates that must come from the same samples do not.
  case differentSamples(estimate: Int)
  /// The coordinates named do not vary, so there is nothing to scale or to simulate.
  case noVariance(coordinates: [String])
  /// A quantile so far out takes more draws.
  case tooFewDraws(found: Int, needed: Int)
  /// A closure of the user's threw.
  case function(any Error)
}

extension InferenceError: CustomStringConvertible {
  /// What was expected, what was found, and what to do.
  public var description: String {
    switch self {
    case .nonFiniteRows(let coordinate, let count, let rows):
      """
      influence rows must be finite: \(count) of the \(rows) elements of coordinate \(coordinate) \
      are infinite or NaN. Look for divisions by zero and overflow in the score, or leave the rows out
      """
    case .nonFiniteValues(let coordinates):
      """
      an estimate must be finite: \(list(coordinates)) infinite or NaN. Look for divisions by zero \
      and overflow where it is computed
      """
    case .nonFiniteDerivative(let coordinates):
      """
      the delta method takes a finite derivative: that of \(list(coordinates)) infinite or NaN at \
      the estimate. Transform to a scale on which the function is smooth there
      """
    case .tooFewUnits(let found, let areClusters):
      """
      a variance takes at least 2 independent \(areClusters ? "clusters" : "rows"), found \(found). \
      Give more\(areClusters ? ", or no clusters if the rows are independent" : "")
      """
    case .noCoordinates:
      "an estimate needs at least one coordinate, found none. Select at least one"
    case .nameCount(let expected, let found):
      "expected \(expected) names, one for each coordinate, found \(found)"
    case .differentSamples(let estimate):
      """
      expected estimates from the same units, but estimate \(estimate) does not have the samples, \
      rows and clusters of estimate 0. Aggregate repetitions on one data set only; estimates from \
      different samples can be added
      """
    case .noVariance(let coordinates):
      """
      expected a positive standard error: that of \(list(coordinates)) 0. Leave out what has no \
      variance
      """
    case .tooFewDraws(let found, let needed):
      "the quantile of this level takes at least \(needed) bootstrap draws, found \(found)"
    case .function(let error): "\(error)"
    }
  }

  private func list(_ names: [String]) -> String {
    let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
    return names.count == 1 ? "\(shown) is" : "\(shown) are"
  }
}
