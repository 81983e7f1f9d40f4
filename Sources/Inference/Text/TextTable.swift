/// A table for the terminal: the first column aligned left, the others right.
public struct TextTable: Sendable {
  private let header: [String]
  private var rows: [[String]] = []

  /// Creates a table without rows.
  public init(header: [String]) {
    self.header = header
  }

  /// Appends a row; missing cells at its end are blank.
  public mutating func append(_ row: [String]) {
    rows.append(row)
  }

  /// The lines of the table, indented and with a rule under the header.
  public func text(indent: Int = 2) -> String {
    let columnCount = max(header.count, rows.map(\.count).max() ?? 0)
    let widths = (0..<columnCount).map { column in
      ([header] + rows).map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      let padded = (0..<columnCount).map { column in
        let cell = column < cells.count ? cells[column] : ""
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }
      let text = String(repeating: " ", count: indent) + padded.joined(separator: "  ")
      return String(text.reversed().drop { $0 == " " }.reversed())
    }
    let ruleWidth = widths.reduce(0, +) + 2 * max(0, columnCount - 1)
    let rule = String(repeating: " ", count: indent) + String(repeating: "─", count: ruleWidth)
    return ([line(header), rule] + rows.map(line)).joined(separator: "\n")
  }
}

/// Breaks text into lines of at most `width` characters at spaces, each after `indent` spaces.
public func wrapped(_ text: String, width: Int = 80, indent: Int = 2) -> String {
  let margin = String(repeating: " ", count: indent)
  var lines: [String] = []
  var current = ""
  for word in text.split(separator: " ") {
    if !current.isEmpty, indent + current.count + 1 + word.count > width {
      lines.append(margin + current)
      current = ""
    }
    current += (current.isEmpty ? "" : " ") + word
  }
  if !current.isEmpty { lines.append(margin + current) }
  return lines.joined(separator: "\n")
}
