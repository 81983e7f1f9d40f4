import Inference
import TensorFiles

/// Why an instrumental-variable regression cannot be estimated, and what to do.
public enum ModelError: Error, Equatable, Sendable {
  /// No explanatory variable is endogenous.
  case noEndogenousVariable

  /// There is no instrument.
  case noInstrument(endogenous: [String])

  /// There are fewer instruments than endogenous variables.
  case tooFewInstruments(instruments: [String], endogenous: [String])

  /// A column is given twice.
  case columnInTwoRoles(name: String, first: Role, second: Role)

  /// Two columns have names that differ only by how Unicode composes a letter.
  case namesOfOneText(String)

  /// A column has the name of the constant that is added.
  case reservedName(String)

  /// There are not more rows than parameters.
  case tooFewRows(rows: Int, needed: Int)

  /// A column has the same value in all rows, beside a constant.
  case constantColumn(name: String, role: Role, value: Double)

  /// The exogenous variables reproduce the outcome, so nothing is left to explain.
  case nothingToExplain(outcome: String)

  /// Columns are linear combinations of each other.
  case collinear(names: [String])

  /// The instruments do not move the endogenous variables independently.
  case notIdentified(names: [String])

  /// The squares of a column's values are out of the range of the arithmetic.
  case extremeValues(name: String, size: Double)

  /// A value is NaN or infinite.
  case notANumber(name: String, row: Int)

  /// A field of a file holds an infinite number, which no regression can use.
  case infiniteField(at: TextPosition, found: String)

  /// A weight is not a positive number.
  case invalidWeight(row: Int, value: Double)

  /// A method that has no weighted form was given weights.
  case weightsUnsupported(by: String)

  /// Rows are clustered, and the covariance is that of independent errors of equal variance.
  case unadjustedClusters

  /// The estimates are not finite numbers.
  case notFinite
}

extension ModelError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noEndogenousVariable:
      return "no endogenous variable is given; name at least one (without one, the model is an "
        + "ordinary regression and needs no instruments)"
    case .noInstrument(let endogenous):
      return
        "no instruments are given for \(enumeration(endogenous)); name at least as many instruments "
        + "as endogenous variables"
    case .tooFewInstruments(let instruments, let endogenous):
      return "\(instruments.count) instrument\(instruments.count == 1 ? "" : "s") "
        + "(\(enumeration(instruments))) cannot identify \(endogenous.count) endogenous variables "
        + "(\(enumeration(endogenous))); add instruments, or treat some variables as exogenous"
    case .columnInTwoRoles(let name, let first, let second):
      return first == second
        ? "column \(name) is given twice as \(first.rawValue); name it once"
        : "column \(name) is given as \(first.rawValue) and as \(second.rawValue); "
          + "give it one role"
    case .namesOfOneText(let name):
      return
        "the names of two columns, \(name), differ only by how Unicode composes a letter; rename one "
        + "of them"
    case .reservedName(let name):
      return "a column is named \(name), which is the name of the added constant; rename the "
        + "column"
    case .tooFewRows(let rows, let needed):
      return "\(Numbers.count(rows)) complete row\(rows == 1 ? "" : "s") cannot estimate this "
        + "model; it needs at least \(Numbers.count(needed)). Rows with a missing value in any used column "
        + "do not count"
    case .constantColumn(let name, let role, let value):
      return "\(role.rawValue) \(name) is \(Numbers.short(value)) in every row, "
        + "and a constant is added already; leave the column out"
    case .nothingToExplain(let outcome):
      return
        "the exogenous variables reproduce \(outcome) exactly, up to rounding, so there is nothing "
        + "left to explain; check that the right column was read"
    case .collinear(let names):
      return names.count == 1
        ? "column \(names[0]) is 0 in every row; leave it out"
        : "columns \(enumeration(names)) are collinear: each is a linear combination of the others; "
          + "leave one of them out"
    case .notIdentified(let names):
      return
        "the instruments do not identify \(enumeration(names)): once the exogenous variables are "
        + "taken out, they do not move the endogenous variables independently; use other "
        + "instruments"
    case .extremeValues(let name, let size):
      return "column \(name) has values of the size \(Numbers.significant(size, digits: 2)), whose "
        + "squares cannot be computed with; change its unit"
    case .notANumber(let name, let row):
      return "row \(row + 1) of column \(name) is not a finite number; leave the row out"
    case .infiniteField(let position, let found):
      return
        "\(position): the number is infinite (\"\(found)\"); correct the field, or leave it empty "
        + "to drop the row"
    case .invalidWeight(let row, let value):
      return "the weight of row \(row + 1) is \(Numbers.short(value)), but weights are positive; "
        + "leave the row out, or correct the weight"
    case .weightsUnsupported(let method):
      return "\(method) takes no weights; leave them out, or use two-stage least squares"
    case .unadjustedClusters:
      return
        "rows are clustered, so a covariance for independent errors of equal variance does not "
        + "hold; ask for a robust one"
    case .notFinite:
      return "the estimates are not finite numbers; the columns are too far apart in size, "
        + "so change their units"
    }
  }
}

private func enumeration(_ names: [String]) -> String {
  guard names.count > 1, let last = names.last else { return names.first ?? "" }
  return names.dropLast().joined(separator: ", ") + " and " + last
}
