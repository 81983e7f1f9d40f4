/// The conventions of a CSV file: its delimiter and how it writes a missing value.
public struct CSVFormat: Sendable, Equatable {
  /// The character between two fields, in ASCII; nil to find it: the first of comma, semicolon, tab
  /// and `|` that the header has outside of quotes, as often as the next line.
  public var delimiter: Unicode.Scalar?

  /// Whether the decimal mark of numbers is a comma; nil to find it: in a file with semicolons, as
  /// spreadsheet programs write them where that is the custom, unless it has decimal points too.
  public var hasDecimalCommas: Bool?

  /// The texts that stand for a missing value, beside the empty field.
  ///
  /// In a column of numbers they are recognised quoted or not; in a column of text only unquoted,
  /// so that a file can still hold the text `"NA"`. With `nan` every spelling of it is missing in a
  /// column of numbers: in any case, with a sign, and as C libraries write it (`nan(ind)`).
  public var missingTokens: [String]

  /// Conventions, of which those that are nil are found in the file.
  ///
  /// - Precondition: `delimiter` is ASCII and neither a quote nor a line end.
  public init(
    delimiter: Unicode.Scalar? = nil, hasDecimalCommas: Bool? = nil,
    missingTokens: [String] = ["NA", "NaN", "nan", ".", "#N/A"]
  ) {
    if let delimiter,
      !delimiter.isASCII || ["\"", "\n", "\r"].contains(delimiter)
        || (hasDecimalCommas == true && delimiter == ",")
    {
      fatalError(
        "CSVFormat: \(String(delimiter).debugDescription) cannot separate fields; "
          + "use a comma, a semicolon, a tab or another ASCII character")
    }
    self.delimiter = delimiter
    self.hasDecimalCommas = hasDecimalCommas
    self.missingTokens = missingTokens
  }

  /// The delimiter and the decimal mark of the file; an empty field, `NA`, `nan` in any spelling, `.`
  /// or `#N/A` is a missing value.
  public static let standard = CSVFormat()

  /// The delimiter to write with.
  var writtenDelimiter: Unicode.Scalar { delimiter ?? (hasDecimalCommas == true ? ";" : ",") }

  /// Those that are looked for, in this order.
  static let delimiters = Array(",;\t|".utf8)
}
