/// The conventions of a CSV file: its delimiter and how it writes a missing value.
public struct CSVFormat: Sendable, Equatable {
  /// The character between two fields, in ASCII: a comma unless said otherwise.
  public var delimiter: Unicode.Scalar

  /// The texts that stand for a missing value, beside the empty field.
  ///
  /// In a column of numbers they are recognised quoted or not; in a column of text only unquoted,
  /// so that a file can still hold the text `"NA"`.
  public var missingTokens: [String]

  /// Creates a format.
  ///
  /// - Precondition: `delimiter` is ASCII and neither a quote nor a line end.
  public init(
    delimiter: Unicode.Scalar = ",", missingTokens: [String] = ["NA", "NaN", "nan", "."]
  ) {
    guard delimiter.isASCII, delimiter != "\"", delimiter != "\n", delimiter != "\r" else {
      fatalError(
        "CSVFormat: \(String(delimiter).debugDescription) cannot separate fields; "
          + "use a comma, a semicolon, a tab or another ASCII character")
    }
    self.delimiter = delimiter
    self.missingTokens = missingTokens
  }

  /// Comma-separated fields; an empty field, `NA`, `NaN`, `nan` or `.` is a missing value.
  public static let standard = CSVFormat()

  var delimiterByte: UInt8 { UInt8(truncatingIfNeeded: delimiter.value) }
}
