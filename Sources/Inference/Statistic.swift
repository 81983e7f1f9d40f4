/// A statistic, or the reason why it does not apply.
public enum Statistic<Value> {
  /// It applies, and this is its value.
  case value(Value)
  /// Why there is none.
  case unavailable(reason: String)

  /// The statistic; nil where it does not apply.
  public var value: Value? {
    guard case .value(let value) = self else { return nil }
    return value
  }

  /// Why there is none; nil where there is one.
  public var unavailableReason: String? {
    guard case .unavailable(let reason) = self else { return nil }
    return reason
  }
}

extension Statistic: Sendable where Value: Sendable {}
extension Statistic: Equatable where Value: Equatable {}

extension Statistic: Codable where Value: Codable {
  private enum Key: String, CodingKey { case value, unavailable }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    if let reason = try container.decodeIfPresent(String.self, forKey: .unavailable) {
      self = .unavailable(reason: reason)
    } else {
      self = .value(try container.decode(Value.self, forKey: .value))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .value(let value): try container.encode(value, forKey: .value)
    case .unavailable(let reason): try container.encode(reason, forKey: .unavailable)
    }
  }
}
