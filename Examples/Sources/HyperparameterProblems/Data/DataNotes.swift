/// What is known of a data set beside its numbers, for messages and reports.
public struct DataNotes: Sendable, Equatable {
  /// The name of the column with the labels; nil where columns have no names.
  public var labelName: String?

  /// The names of the classes 0, 1, … of labels that were text, or of -1 and 1; nil for numbers.
  public var classNames: [String]?

  /// The rows that were dropped in reading; nil if none were.
  public var dropped: DroppedRows?

  /// Creates notes.
  public init(
    labelName: String? = nil, classNames: [String]? = nil, dropped: DroppedRows? = nil
  ) {
    self.labelName = labelName
    self.classNames = classNames
    self.dropped = dropped
  }

  /// The name of the class that a label stands for.
  func className(_ label: Double) -> String {
    if let classNames, let index = Int(exactly: label), classNames.indices.contains(index) {
      return classNames[index]
    }
    return Int(exactly: label).map { "\($0)" } ?? "\(label)"
  }
}

/// Rows of a file that were dropped because they are not complete.
public struct DroppedRows: Sendable, Equatable, Encodable, CustomStringConvertible {
  /// Why rows were dropped.
  public enum Reason: String, Sendable, Encodable {
    /// A LIBSVM row does not list every feature.
    case omitted = "a feature is omitted"
    /// A field of a CSV row is empty.
    case missing = "a value is missing"
  }

  /// The file.
  public let source: String

  /// The rows of the file.
  public let rows: Int

  /// Those that were dropped.
  public let dropped: Int

  /// Why.
  public let reason: Reason

  /// Notes of dropped rows; nil if there are none.
  public init?(source: String, rows: Int, kept: Int, reason: Reason) {
    guard kept < rows else { return nil }
    self.source = source
    self.rows = rows
    dropped = rows - kept
    self.reason = reason
  }

  public var description: String {
    "\(source): \(dropped) of \(rows) rows dropped: \(reason.rawValue)"
  }
}
