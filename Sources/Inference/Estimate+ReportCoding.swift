// JSON has no infinity: what is withheld is null in it.

extension Estimate.Report {
  private enum Key: String, CodingKey {
    case names, values, standardErrors, zStatistics, pValues, lower, upper, level, intervalKind
    case criticalValue, covariance, jointTest, normBound, samples, withheldReason
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    func numbers(_ key: Key, orElse missing: Double) throws -> [Double] {
      try container.decode([Double?].self, forKey: key).map { $0 ?? missing }
    }
    names = try container.decode([String].self, forKey: .names)
    values = try container.decode([Double].self, forKey: .values)
    standardErrors = try numbers(.standardErrors, orElse: .infinity)
    zStatistics = try container.decode([Double?].self, forKey: .zStatistics)
    pValues = try container.decode([Double?].self, forKey: .pValues)
    lower = try numbers(.lower, orElse: -.infinity)
    upper = try numbers(.upper, orElse: .infinity)
    level = try container.decode(Double.self, forKey: .level)
    intervalKind = try container.decode(Intervals.Kind.self, forKey: .intervalKind)
    criticalValue = try container.decode(Double.self, forKey: .criticalValue)
    covariance = try container.decodeIfPresent([[Double]].self, forKey: .covariance)
    jointTest = try container.decode(Statistic<JointTest>.self, forKey: .jointTest)
    normBound = try container.decode(Statistic<Double>.self, forKey: .normBound)
    samples = try container.decode([Sample].self, forKey: .samples)
    withheldReason = try container.decodeIfPresent(String.self, forKey: .withheldReason)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    func finite(_ numbers: [Double]) -> [Double?] { numbers.map { $0.isFinite ? $0 : nil } }
    try container.encode(names, forKey: .names)
    try container.encode(values, forKey: .values)
    try container.encode(finite(standardErrors), forKey: .standardErrors)
    try container.encode(zStatistics, forKey: .zStatistics)
    try container.encode(pValues, forKey: .pValues)
    try container.encode(finite(lower), forKey: .lower)
    try container.encode(finite(upper), forKey: .upper)
    try container.encode(level, forKey: .level)
    try container.encode(intervalKind, forKey: .intervalKind)
    try container.encode(criticalValue, forKey: .criticalValue)
    try container.encodeIfPresent(covariance, forKey: .covariance)
    try container.encode(jointTest, forKey: .jointTest)
    try container.encode(normBound, forKey: .normBound)
    try container.encode(samples, forKey: .samples)
    try container.encodeIfPresent(withheldReason, forKey: .withheldReason)
  }
}
