import Autodiff

/// A named column of a data set.
public struct Variable: Sendable {
  /// The name, by which results and messages speak of the column.
  public let name: String
  /// One value per observation, [n].
  public let column: Tensor

  /// The values as numbers.
  public var values: [Double] { column.scalars }

  /// A column of numbers.
  public init(name: String, values: [Double]) { self.init(name: name, Tensor(values)) }

  /// A column of a tensor, converted to float64.
  ///
  /// - Precondition: One axis.
  public init(name: String, _ column: Tensor) {
    guard column.rank == 1 else {
      stop("Variable", "expected the column \(name) as [n], found \(column.shape)")
    }
    self.name = name
    self.column = column.cast(to: .float64)
  }

  /// The columns of a matrix, [n, p].
  ///
  /// - Precondition: A name for each column.
  public static func columns(of matrix: Tensor, names: [String]) -> [Variable] {
    guard matrix.rank == 2, matrix.shape[1] == names.count else {
      stop("Variable", "expected a matrix of \(names.count) columns, found \(matrix.shape)")
    }
    return names.indices.map { Variable(name: names[$0], matrix[0..., $0]) }
  }
}

extension [Variable] {
  /// The columns side by side, [n, p].
  var matrix: Tensor { .stacked(map(\.column), alongAxis: 1) }
}

/// The part a column plays in an instrumental-variable regression.
public enum Role: String, Sendable {
  case outcome
  case endogenous = "endogenous variable"
  case instrument
  case exogenous = "exogenous variable"
}

/// A model with instruments, y = f(X) + ε with X = [exogenous, endogenous] and E[ε | Z] = 0 for
/// instruments and exogenous variables Z, which every estimator of this module takes.
///
/// It is checked to be estimable with f linear: the errors it throws name the columns at fault.
public struct InstrumentalModel: Sendable {
  /// The variable to be explained.
  public private(set) var outcome: Variable
  /// The explanatory variables that may be correlated with the error.
  public private(set) var endogenous: [Variable]
  /// The variables that move the endogenous ones and affect the outcome in no other way.
  public private(set) var instruments: [Variable]
  /// The explanatory variables taken as uncorrelated with the error; the constant, if one was
  /// added, comes first.
  public private(set) var exogenous: [Variable]
  /// Whether a constant was added.
  public let hasAddedConstant: Bool
  /// Weights of the observations, inverse to the variances of their errors, of mean 1; nil for equal
  /// ones.
  public let weights: [Double]?
  /// The cluster of each row, numbered from 0; nil where rows are independent.
  public let clusters: [Int]?
  /// Where the rows come from.
  public var source = "arrays"
  /// The column of the clusters, where they have one.
  public internal(set) var clusterColumn: String?
  /// The rows of the table, counted from 0, that lack a value and were left out.
  public internal(set) var droppedRows: [Int] = []
  /// The lines of the file on which the first of these are.
  public internal(set) var droppedLines: [Int] = []

  /// The name of the added constant.
  public static let constantName = "const"

  /// Of exogenous variables, and of these and the instruments; of columns times √w.
  private(set) var exogenousQR = PivotedQR([])
  private(set) var instrumentQR = PivotedQR([])

  /// Checks and assembles a model.
  ///
  /// - Parameters:
  ///   - weights: Positive numbers, of any sum; only two-stage least squares takes them.
  ///   - clusters: A label for each row: rows of one label may depend on each other in any way.
  ///   - addsConstant: Whether to add a column of ones to the exogenous variables.
  /// - Precondition: All variables, weights and clusters have the same number of rows.
  /// - Throws: Where the model cannot be estimated.
  public init(
    outcome: Variable, endogenous: [Variable], instruments: [Variable],
    exogenous: [Variable] = [], weights: [Double]? = nil, clusters: [Int]? = nil,
    addsConstant: Bool = true
  ) throws(ModelError) {
    let roles: [(Role, [Variable])] = [
      (.outcome, [outcome]), (.endogenous, endogenous), (.instrument, instruments),
      (.exogenous, exogenous),
    ]
    try Self.checkRoles(roles, addsConstant: addsConstant)
    if endogenous.isEmpty { throw .noEndogenousVariable }
    if instruments.isEmpty { throw .noInstrument(endogenous: endogenous.map(\.name)) }
    if instruments.count < endogenous.count {
      throw .tooFewInstruments(
        instruments: instruments.map(\.name), endogenous: endogenous.map(\.name))
    }
    let rows = outcome.column.elementCount
    let lengths = roles.flatMap { $0.1.map(\.column.elementCount) }
    guard
      (lengths + [weights?.count, clusters?.count].compactMap { $0 }).allSatisfy({ $0 == rows })
    else { stop("InstrumentalModel", "expected \(rows) rows in all columns, found \(lengths)") }
    let needed = (addsConstant ? 1 : 0) + exogenous.count + instruments.count + 1
    if rows < needed { throw .tooFewRows(rows: rows, needed: needed) }
    try Self.checkValues(roles, addsConstant: addsConstant)
    if let weights, let row = weights.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
      throw .invalidWeight(row: row, value: weights[row])
    }

    self.outcome = outcome
    self.endogenous = endogenous
    self.instruments = instruments
    hasAddedConstant = addsConstant
    let mean = (weights ?? []).reduce(0) { $0 + $1 / Double(rows) }
    self.weights = weights?.map { $0 / mean }
    self.clusters = clusters.map(Self.numbered)
    let ones = Variable(name: Self.constantName, .ones([rows]))
    self.exogenous = (addsConstant ? [ones] : []) + exogenous
    let weighted = weighted
    exogenousQR = try Self.independent(weighted.exogenous)
    instrumentQR = try Self.independent(weighted.exogenous + weighted.instruments)
    _ = try Self.independent(weighted.regressors)
  }

  /// The number of observations.
  public var observationCount: Int { outcome.column.elementCount }

  /// Exogenous, then endogenous variables: the columns of X.
  public var regressors: [Variable] { exogenous + endogenous }

  /// The exogenous variables without the constant.
  public var varyingExogenous: [Variable] { hasAddedConstant ? Array(exogenous[1...]) : exogenous }

  /// The number of clusters; nil where rows are independent.
  public var clusterCount: Int? { clusters.map { ($0.max() ?? -1) + 1 } }

  /// The number of rows that repeat an earlier one in all columns; repetitions within a cluster do
  /// not count.
  public var repeatedRowCount: Int {
    let columns = ([outcome] + regressors + instruments).map(\.values)
    var clusterOfFirst: [[Double]: Int] = [:]
    return (0..<observationCount).count { row in
      let (cluster, values) = (clusters?[row] ?? row, columns.map { $0[row] })
      guard let first = clusterOfFirst[values] else {
        clusterOfFirst[values] = cluster
        return false
      }
      return first != cluster
    }
  }

  /// The same model with every column times √w: ordinary formulas in it are weighted ones.
  var weighted: InstrumentalModel {
    guard let weights else { return self }
    let root = sqrt(Tensor(weights))
    func scaled(_ variable: Variable) -> Variable {
      Variable(name: variable.name, root * variable.column)
    }
    var model = self
    model.outcome = scaled(outcome)
    model.endogenous = endogenous.map(scaled)
    model.instruments = instruments.map(scaled)
    model.exogenous = exogenous.map(scaled)
    return model
  }

  /// Sums of rows, [n, c], over the independent units: over clusters, or the rows themselves.
  func unitSums(_ rows: Tensor) -> Tensor {
    guard let clusters, let clusterCount else { return rows }
    return rows.scatterAdding(to: Tensor(indices: clusters), length: clusterCount, alongAxis: 0)
  }

  /// Throws `ModelError.nothingToExplain` where the exogenous variables reproduce the outcome to
  /// rounding, as a constant does an outcome that does not vary.
  public func requireOutcomeToExplain() throws(ModelError) {
    let outcome = weighted.outcome
    if Rounding.isNegligible(exogenousQR.residual(outcome.column), beside: outcome.column) {
      throw .nothingToExplain(outcome: outcome.name)
    }
  }

  /// Labels as numbers from 0, in the order of their first appearance.
  static func numbered<Label: Hashable>(_ labels: [Label]) -> [Int] {
    var numbers: [Label: Int] = [:]
    return labels.map { label in
      let number = numbers[label] ?? numbers.count
      numbers[label] = number
      return number
    }
  }

  // MARK: Checks

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

  private static func checkValues(
    _ roles: [(Role, [Variable])], addsConstant: Bool
  ) throws(ModelError) {
    for variable in roles.flatMap(\.1) {
      if let row = variable.values.firstIndex(where: { !$0.isFinite }) {
        throw .notANumber(name: variable.name, row: row)
      }
      let size = variable.column.normInfinity().scalar
      if size > 0, !(1e-100...1e100 ~= size) {
        throw .extremeValues(name: variable.name, size: size)
      }
    }
    for (role, variables) in roles where addsConstant && role != .outcome {
      for variable in variables {
        let value = variable.column.max().scalar
        if variable.column.min().scalar == value {
          throw .constantColumn(name: variable.name, role: role, value: value)
        }
      }
    }
  }

  private static func independent(_ variables: [Variable]) throws(ModelError) -> PivotedQR {
    let factorization = PivotedQR(variables.map(\.column))
    if let group = factorization.dependencies.first {
      throw .collinear(names: group.map { variables[$0].name })
    }
    return factorization
  }
}
