/// A named column of a data set.
public struct Variable: Sendable, Equatable {
  /// The name, by which results and messages speak of the column.
  public let name: String

  /// One value per observation.
  public let values: [Double]

  /// Creates a variable.
  public init(name: String, values: [Double]) {
    self.name = name
    self.values = values
  }
}

/// The part a column plays in an instrumental-variable regression.
public enum Role: String, Sendable {
  case outcome
  case endogenous = "endogenous variable"
  case instrument
  case exogenous = "exogenous variable"
}

/// A linear model with instruments, y = X β + ε with X = [exogenous, endogenous] and instruments
/// Z, checked to be estimable: the errors it throws name the columns at fault.
public struct InstrumentalModel: Sendable {
  /// The variable to be explained.
  public let outcome: Variable

  /// The explanatory variables that may be correlated with the error.
  public let endogenous: [Variable]

  /// The variables that move the endogenous ones and affect the outcome in no other way.
  public let instruments: [Variable]

  /// The explanatory variables taken as uncorrelated with the error; the constant, if there is
  /// one, comes first.
  public let exogenous: [Variable]

  /// Whether a constant was added.
  public let hasAddedConstant: Bool

  /// The name of the added constant.
  public static let constantName = "const"

  /// The number of observations.
  public var observationCount: Int { outcome.values.count }

  /// Exogenous, then endogenous variables: the columns of X.
  public var regressors: [Variable] { exogenous + endogenous }

  let exogenousQR: PivotedQR
  let instrumentQR: PivotedQR

  /// Checks and assembles a model.
  ///
  /// - Parameter addsConstant: Whether to add a column of ones to the exogenous variables.
  /// - Precondition: All variables have the same number of observations, and these are finite.
  /// - Throws: A `ModelError` if the model cannot be estimated.
  public init(
    outcome: Variable, endogenous: [Variable], instruments: [Variable], exogenous: [Variable],
    addsConstant: Bool = true
  ) throws(ModelError) {
    try Self.checkRoles(
      [
        (.outcome, [outcome]), (.endogenous, endogenous), (.instrument, instruments),
        (.exogenous, exogenous),
      ], addsConstant: addsConstant)
    if endogenous.isEmpty { throw .noEndogenousVariable }
    if instruments.isEmpty { throw .noInstrument(endogenous: endogenous.map(\.name)) }
    if instruments.count < endogenous.count {
      throw .tooFewInstruments(
        instruments: instruments.map(\.name), endogenous: endogenous.map(\.name))
    }
    let rows = outcome.values.count
    let constant = addsConstant ? 1 : 0
    let needed = constant + exogenous.count + instruments.count + 1
    if rows < needed { throw .tooFewRows(rows: rows, needed: needed) }
    try Self.checkSizes([outcome] + endogenous + instruments + exogenous)
    if addsConstant { try Self.checkNotConstant(endogenous, instruments, exogenous) }

    self.outcome = outcome
    self.endogenous = endogenous
    self.instruments = instruments
    hasAddedConstant = addsConstant
    let ones = Variable(name: Self.constantName, values: Array(repeating: 1, count: rows))
    self.exogenous = (addsConstant ? [ones] : []) + exogenous
    exogenousQR = try Self.independent(self.exogenous)
    instrumentQR = try Self.independent(self.exogenous + instruments)
    _ = try Self.independent(self.exogenous + endogenous)
  }

  /// Throws `ModelError.nothingToExplain` where the exogenous variables reproduce the outcome to
  /// rounding, as a constant does an outcome that does not vary.
  public func requireOutcomeToExplain() throws(ModelError) {
    let left = exogenousQR.residual(outcome.values)
    if Rounding.isNegligible(dot(left, left), beside: outcome.values) {
      throw .nothingToExplain(outcome: outcome.name)
    }
  }

  /// Why the residuals of regressions on the exogenous variables say nothing of their coefficients'
  /// errors: a row or cluster that determines some of them alone; nil if there is none.
  ///
  /// - Parameter clusters: A label for each row; nil where rows are independent.
  public func exogenousLeverageReason(clusters: [Int]? = nil) throws(ModelError) -> String? {
    try Saturation(exogenousQR.orthonormalColumns(), clusters: clusters.map(Self.numbered))
      .reason("a coefficient of an exogenous variable", restingOn: exogenousQR.coefficientWeights())
  }

  /// Labels as numbers from 0.
  static func numbered(_ labels: [Int]) -> [Int] {
    var numbers: [Int: Int] = [:]
    return labels.map { label in
      let number = numbers[label] ?? numbers.count
      numbers[label] = number
      return number
    }
  }

  private static func checkRoles(
    _ roles: [(Role, [Variable])], addsConstant: Bool
  ) throws(ModelError) {
    var seen: [String: (name: String, role: Role)] = [:]
    for (role, variables) in roles {
      for variable in variables {
        if addsConstant, variable.name == constantName { throw .reservedName(variable.name) }
        // Swift takes texts for the same that differ only by how Unicode composes a letter.
        if let first = seen[variable.name] {
          guard first.name.utf8.elementsEqual(variable.name.utf8) else {
            throw .namesOfOneText(variable.name)
          }
          throw .columnInTwoRoles(name: variable.name, first: first.role, second: role)
        }
        seen[variable.name] = (variable.name, role)
      }
    }
  }

  private static func checkSizes(_ variables: [Variable]) throws(ModelError) {
    for variable in variables {
      let size = variable.values.reduce(0) { max($0, abs($1)) }
      if size > 0, !(1e-100...1e100 ~= size) {
        throw .extremeValues(name: variable.name, size: size)
      }
    }
  }

  private static func checkNotConstant(
    _ endogenous: [Variable], _ instruments: [Variable], _ exogenous: [Variable]
  ) throws(ModelError) {
    let roles: [(Role, [Variable])] = [
      (.endogenous, endogenous), (.instrument, instruments), (.exogenous, exogenous),
    ]
    for (role, variables) in roles {
      for variable in variables {
        guard let value = variable.values.first else { continue }
        if variable.values.allSatisfy({ $0 == value }) {
          throw .constantColumn(name: variable.name, role: role, value: value)
        }
      }
    }
  }

  private static func independent(_ variables: [Variable]) throws(ModelError) -> PivotedQR {
    let factorization = PivotedQR(variables.map(\.values))
    if let group = factorization.dependencies.first {
      throw .collinear(names: group.map { variables[$0].name })
    }
    return factorization
  }
}
