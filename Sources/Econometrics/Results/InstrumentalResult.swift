/// What was estimated from which data: a printed summary, JSON, and the numbers themselves.
///
/// The properties of the estimates are properties of the result: `result.parameters["educ"]`. In
/// JSON the keys of both stand side by side.
@dynamicMemberLookup
public struct InstrumentalResult<Estimates: InstrumentalEstimates>: Codable, Sendable,
  CustomStringConvertible
{
  /// The data.
  public let sample: InstrumentalSample
  /// The estimates.
  public var estimates: Estimates

  init(_ model: InstrumentalModel, _ estimates: Estimates) {
    sample = InstrumentalSample(model)
    self.estimates = estimates
  }

  /// The summary for a reader without a manual.
  public var description: String { estimates.summary(of: sample) }

  /// A property of the estimates.
  public subscript<Value>(dynamicMember path: KeyPath<Estimates, Value>) -> Value {
    estimates[keyPath: path]
  }

  public init(from decoder: any Decoder) throws {
    sample = try InstrumentalSample(from: decoder)
    estimates = try Estimates(from: decoder)
  }

  public func encode(to encoder: any Encoder) throws {
    try sample.encode(to: encoder)
    try estimates.encode(to: encoder)
  }
}

/// What one estimator says.
public protocol InstrumentalEstimates: Codable, Sendable {
  /// The summary for a reader without a manual.
  func summary(of sample: InstrumentalSample) -> String
}

/// The data of a result, by name.
public struct InstrumentalSample: Codable, Sendable {
  /// Where the rows come from.
  public let data: String
  /// The variable to be explained.
  public let outcome: String
  /// The endogenous variables.
  public let endogenous: [String]
  /// The instruments.
  public let instruments: [String]
  /// The exogenous variables without the constant.
  public let exogenous: [String]
  /// The number of observations.
  public let n: Int
  /// The number of rows that were left out because they lack a value.
  public let droppedRows: Int

  init(_ model: InstrumentalModel) {
    data = model.source
    outcome = model.outcome.name
    endogenous = model.endogenous.map(\.name)
    instruments = model.instruments.map(\.name)
    exogenous = model.varyingExogenous.map(\.name)
    n = model.observationCount
    droppedRows = model.droppedRows.count
  }
}

/// Names in a sentence.
func list(_ names: [String]) -> String { names.joined(separator: ", ") }
