import TensorFiles

/// A column of a report: what stands in the table for the terminal, in the CSV file and in the JSON, each
/// where it has a name there.
public struct Column<Row> {
  /// The header in the table; nil where it is not there.
  public let title: String?
  private let name: String?
  fileprivate let key: String?
  /// The cell of a row in the table.
  public let text: (Row) -> String
  fileprivate let value: (Row) -> CSVValue

  /// A column of numbers.
  ///
  /// - Parameters:
  ///   - title: The header in the table; nil to leave it out there.
  ///   - csv: The name in the file; nil to leave it out there.
  ///   - json: The key, with a dot before the key in an object; nil to leave it out there.
  ///   - format: How the table shows a number.
  ///   - missing: What the table shows without one; the file has a blank, the JSON nothing.
  public init(
    _ title: String?, csv name: String? = nil, json key: String? = nil,
    _ format: NumberFormat = .significant(4), missing: String = "—",
    _ value: @escaping (Row) -> Double?
  ) {
    (self.title, self.name, self.key) = (title, name, key)
    text = { value($0).map(format.text) ?? missing }
    self.value = { value($0).map { .number($0) } ?? .missing }
  }

  /// A column of texts.
  public init(
    _ title: String?, csv name: String? = nil, json key: String? = nil,
    text: @escaping (Row) -> String
  ) {
    (self.title, self.name, self.key) = (title, name, key)
    self.text = text
    value = { .text(text($0)) }
  }

  /// The cells of the columns of a table, by row, with their headers.
  fileprivate static func cells(
    _ columns: [Column], _ rows: [Row]
  ) -> (header: [String], rows: [[String]]) {
    let shown = columns.filter { $0.title != nil }
    return (shown.map { $0.title ?? "" }, rows.map { row in shown.map { $0.text(row) } })
  }

  fileprivate static func csv(_ columns: [Column], _ rows: [Row]) -> CSVWriter {
    let written = columns.filter { $0.name != nil }
    var writer = CSVWriter(columnNames: written.map { $0.name ?? "" })
    for row in rows {
      writer.append(
        written.map { column in
          let value = column.value(row)
          if case .number(let number) = value, number.isNaN { return .missing }
          return value
        })
    }
    return writer
  }
}

/// How a table shows a number.
public enum NumberFormat: Sendable {
  /// With so many decimals.
  case fixed(Int)
  /// With so many significant digits.
  case significant(Int)
  /// With six significant digits at most, without zeros at the end.
  case short

  /// The number as text.
  public func text(_ value: Double) -> String {
    switch self {
    case .fixed(let decimals): Numbers.fixed(value, decimals: decimals)
    case .significant(let digits): Numbers.significant(value, digits: digits)
    case .short: Numbers.short(value)
    }
  }
}

extension Array {
  /// The elements as rows of a table for the terminal.
  ///
  /// - Parameter omitsEmpty: Whether columns without a value in any row are left out.
  public func table(_ columns: [Column<Element>], omitsEmpty: Bool = false) -> String {
    let (header, rows) = Column.cells(columns, self)
    let kept = header.indices.filter { column in
      !omitsEmpty || rows.contains { !["", "—"].contains($0[column]) }
    }
    var table = TextTable(header: kept.map { header[$0] })
    for row in rows { table.append(kept.map { row[$0] }) }
    return table.text()
  }

  /// The elements as rows of a CSV file.
  public func csv(_ columns: [Column<Element>]) -> CSVWriter { Column.csv(columns, self) }

  /// Encodes a row as an object of the columns that have a key.
  public func encode<Row>(_ row: Row, to encoder: any Encoder) throws where Element == Column<Row> {
    var object = encoder.container(keyedBy: ColumnKey.self)
    var inner: [String: KeyedEncodingContainer<ColumnKey>] = [:]
    for column in self {
      guard let key = column.key else { continue }
      let parts = key.split(separator: ".").map { ColumnKey(stringValue: String($0)) }
      let value = column.value(row)
      if parts.count == 1 {
        try Self.encode(value, parts[0], in: &object)
      } else if value != .missing {
        var nested =
          inner[parts[0].stringValue]
          ?? object.nestedContainer(keyedBy: ColumnKey.self, forKey: parts[0])
        try Self.encode(value, parts[1], in: &nested)
        inner[parts[0].stringValue] = nested
      }
    }
  }

  private static func encode(
    _ value: CSVValue, _ key: ColumnKey, in object: inout KeyedEncodingContainer<ColumnKey>
  ) throws {
    switch value {
    case .number(let number): try object.encode(number, forKey: key)
    case .text(let text): try object.encode(text, forKey: key)
    case .missing: break
    }
  }
}

private struct ColumnKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}
