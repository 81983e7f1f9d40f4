/// A place in a LIBSVM file, as an editor shows it.
public struct LIBSVMPosition: Equatable, Sendable, CustomStringConvertible {
  /// The name of the file, or whatever the caller named the text.
  public let source: String

  /// The line, counted from 1 over the whole file, blank lines and comments included.
  public let line: Int

  /// The character, counted from 1 in that line, at which the label or entry starts.
  public let column: Int

  /// Creates a position.
  public init(source: String, line: Int, column: Int) {
    self.source = source
    self.line = line
    self.column = column
  }

  public var description: String { "\(source), line \(line), column \(column)" }
}

/// What is wrong with a LIBSVM file, where, and what to do about it.
public enum LIBSVMError: Error, Equatable, Sendable {
  /// The file could not be read.
  case unreadable(source: String, reason: String)

  /// The file is UTF-16, not bytes of ASCII.
  case notASCII(source: String)

  /// The file has no row.
  case empty(source: String)

  /// A line does not start with a finite number.
  case labelNotANumber(at: LIBSVMPosition, found: String)

  /// An entry is not an index and a value around a colon.
  case malformedEntry(at: LIBSVMPosition, found: String)

  /// The index of an entry is not a whole number from 1 to 2³¹ - 1.
  case invalidIndex(at: LIBSVMPosition, found: String)

  /// The index of an entry is not larger than the one before it in the line.
  case indexNotIncreasing(at: LIBSVMPosition, index: Int, previous: Int)

  /// The index of an entry is larger than the number of features the caller stated.
  case indexTooLarge(at: LIBSVMPosition, index: Int, featureCount: Int)

  /// The value of an entry is not a finite number.
  case valueNotANumber(at: LIBSVMPosition, found: String)

  /// A line belongs to a query of a ranking problem (`qid:`).
  case queryIdentifier(at: LIBSVMPosition)

  /// The dense matrix of the features would have too many elements to be meant.
  case tooLargeForMatrix(source: String, rows: Int, features: Int)
}

extension LIBSVMError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let source, let reason):
      return "\(source): cannot be read: \(reason)"
    case .notASCII(let source):
      return "\(source): the file is UTF-16 (a text file \"in Unicode\" of a spreadsheet program); "
        + "save the file as UTF-8"
    case .empty(let source):
      return "\(source): the file has no rows; expected lines such as 1 1:0.5 3:-2"
    case .labelNotANumber(let position, let found):
      return "\(position): found \(quoted(found)), but a line starts with its label, a finite "
        + "number; " + Self.adviceForLabel(found)
    case .malformedEntry(let position, let found):
      return "\(position): found \(quoted(found)), but an entry index:value was expected, such as "
        + "3:-0.25; write the index, a colon and the value without blanks between them"
    case .invalidIndex(let position, let found):
      return "\(position): found the index \(quoted(found)), but indices are whole numbers from 1 "
        + "to 2147483647; " + (found == "0" ? "add 1 to every index of the file" : "correct it")
    case .indexNotIncreasing(let position, let index, let previous):
      return "\(position): index \(index) follows index \(previous), but indices increase along a "
        + "line; "
        + (index == previous ? "remove one of the two entries" : "sort the entries of the line")
    case .indexTooLarge(let position, let index, let featureCount):
      return "\(position): found index \(index), but \(counted(featureCount, "feature")) were "
        + "expected; remove the entry, or expect more"
    case .valueNotANumber(let position, let found):
      return "\(position): found \(quoted(found)), but the value of an entry is a finite number; "
        + "correct it, or remove the entry if it is zero"
    case .queryIdentifier(let position):
      return "\(position): the line names a query (qid:), which only ranking uses; remove the "
        + "qid: entries if the rows are meant as independent"
    case .tooLargeForMatrix(let source, let rows, let features):
      return "\(source): \(counted(rows, "row")) of \(counted(features, "feature")) are too many "
        + "for a dense matrix of this file in the free memory; keep fewer rows, or check the largest "
        + "index"
    }
  }

  private static func adviceForLabel(_ found: String) -> String {
    if found.contains(",") {
      return "a file with commas is CSV, or has several labels to a row, which is not supported"
    }
    return found.contains(":") ? "put the label first" : "correct it"
  }
}
