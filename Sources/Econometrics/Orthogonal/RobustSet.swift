import Orthogonal

/// The values of one effect that a test does not reject however weak the instruments are; not always
/// an interval.
public struct RobustSet: Codable, Sendable, Equatable {
  /// Its shape.
  public enum Kind: String, Codable, Sendable {
    case interval
    /// All outside of the ends.
    case complement
    case everything
    case nothing
  }

  /// The shape.
  public let kind: Kind
  /// The lower end.
  public let lower: Double?
  /// The upper end.
  public let upper: Double?

  /// A set of values times a scale, in the units of the effect.
  init(_ set: ConfidenceSet, scale: Double) {
    let ends: (Double, Double)?
    switch set {
    case .interval(let lower, let upper): (kind, ends) = (.interval, (lower, upper))
    case .complement(let lower, let upper): (kind, ends) = (.complement, (lower, upper))
    case .everything: (kind, ends) = (.everything, nil)
    case .nothing: (kind, ends) = (.nothing, nil)
    }
    (lower, upper) = (ends.map { $0.0 / scale }, ends.map { $0.1 / scale })
  }
}
