import Autodiff
import TensorFiles

/// Labelled rows read from a file in the text format of LIBSVM.
///
/// A line is a label and entries `index:value`, blanks between them; indices start at 1 and increase
/// along the line, and a feature that is left out is zero:
///
///     1 1:0.5 3:-2      # label 1, features (0.5, 0, -2)
///
/// Text from `#` to the end of the line is a comment, blank lines are skipped, and lines end with
/// LF, CRLF or CR. Labels are real numbers, for classes as for regression. Entries are kept as the
/// file has them; `features()` fills in the zeros.
public struct LIBSVMDataset: Sendable {
  /// The name of the file, used in messages.
  public let source: String

  /// One label to a row.
  public private(set) var labels: [Double] = []

  /// The number of features: as stated when reading, or the largest index of the file.
  public private(set) var featureCount = 0

  /// The number of rows.
  public var rowCount: Int { labels.count }

  /// What each row lists: features, counted from 0, and their values.
  private var rows: [[(feature: Int32, value: Double)]] = []

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - featureCount: The number of features, for a part of a data set whose largest index may be
  ///     absent; nil for the largest index of the file.
  /// - Throws: A `FileError` if the file cannot be read or is malformed.
  public init(contentsOfFile path: String, featureCount: Int? = nil) throws(FileError) {
    try self.init(parsing: TextFile.bytes(of: path), source: path, featureCount: featureCount)
  }

  /// Reads rows from text.
  ///
  /// - Throws: A `FileError` if the text is malformed.
  public init(
    parsing text: String, source: String = "text", featureCount: Int? = nil
  ) throws(FileError) {
    try self.init(parsing: [UInt8](text.utf8), source: source, featureCount: featureCount)
  }

  /// Reads rows from the bytes of a file.
  ///
  /// - Throws: A `FileError` if the bytes are malformed.
  public init(
    parsing bytes: [UInt8], source: String, featureCount: Int? = nil
  ) throws(FileError) {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw FileError(
        .malformed, source,
        "the file is UTF-16 (a text file \"in Unicode\" of a spreadsheet program); save the file as "
          + "UTF-8")
    }
    self.source = source
    let text = bytes.dropFirst(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
    for line in text.split(whereSeparator: isLineEnd) {
      let tokens = line.prefix { $0 != UInt8(ascii: "#") }
        .split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
      guard let label = tokens.first else { continue }
      do throws(Fault) {
        try append(label, tokens.dropFirst(), stated: featureCount)
      } catch {
        throw FileError(
          .malformed, at: position(of: error.place, in: bytes, source), error.detail)
      }
    }
    if labels.isEmpty {
      throw FileError(
        .malformed, source, "the file has no rows; expected lines such as 1 1:0.5 3:-2")
    }
    self.featureCount = featureCount ?? self.featureCount
  }

  private mutating func append(
    _ label: ArraySlice<UInt8>, _ entries: ArraySlice<ArraySlice<UInt8>>, stated: Int?
  ) throws(Fault) {
    guard let value = number(label) else {
      throw Fault(
        label,
        "found \(quoted(label)), but a line starts with its label, a finite number; "
          + advice(forLabel: label))
    }
    var row: [(feature: Int32, value: Double)] = []
    for entry in entries {
      let (index, value) = try parsed(entry)
      if let last = row.last, index <= last.feature + 1 {
        throw Fault(
          entry,
          "index \(index) follows index \(last.feature + 1), but indices increase along a line; "
            + (index == last.feature + 1
              ? "remove one of the two entries" : "sort the entries of the line"))
      }
      if let stated, index > stated {
        throw Fault(
          entry,
          "found index \(index), but \(stated) feature\(stated == 1 ? " was" : "s were") expected, as "
            + "in the training rows; remove the entry, or give two files with the same features")
      }
      row.append((index - 1, value))
    }
    labels.append(value)
    rows.append(row)
    featureCount = max(featureCount, row.last.map { Int($0.feature) + 1 } ?? 0)
  }

  /// The features as a `float64` matrix [rows, features], zero where an entry is omitted.
  ///
  /// - Throws: A `FileError` of the kind `tooLarge` for more than 64 MiB that are also more than a
  ///   thousand times the entries of the file, or half the free memory: one absurd index must not
  ///   take all of it.
  public func features() throws(FileError) -> Tensor {
    let entryCount = rows.reduce(rowCount) { $0 + $1.count }
    let (count, overflows) = rowCount.multipliedReportingOverflow(by: featureCount)
    let isOutOfProportion = count > 1 << 23 && count / 1000 > entryCount
    let limit = (AvailableMemory.byteCount ?? .max) / 2 / MemoryLayout<Double>.stride
    if overflows || isOutOfProportion || count > max(1 << 23, limit) {
      throw FileError(
        .tooLarge, source,
        "\(rowCount) row\(rowCount == 1 ? "" : "s") of \(featureCount) features are too many for a "
          + "dense matrix of this file in the free memory; keep fewer rows, or check the largest "
          + "index")
    }
    var elements = [Double](repeating: 0, count: count)
    for (row, entries) in rows.enumerated() {
      for entry in entries { elements[row * featureCount + Int(entry.feature)] = entry.value }
    }
    return Tensor(elements, shape: [rowCount, featureCount])
  }

  /// Whether the file leaves out a feature of this row; a zero that is written is not left out.
  ///
  /// - Precondition: `row` is less than `rowCount`.
  public func hasOmittedEntry(row: Int) -> Bool { rows[row].count < featureCount }

  /// The rows of which every feature is written, in the order of the file.
  ///
  /// Some data sets mark a missing value by leaving it out, which then must not be read as zero.
  public func droppingRowsWithOmittedEntries() -> LIBSVMDataset {
    let kept = rows.indices.filter { !hasOmittedEntry(row: $0) }
    var result = self
    result.labels = kept.map { labels[$0] }
    result.rows = kept.map { rows[$0] }
    return result
  }
}

/// What is wrong with a line, and where.
private struct Fault: Error {
  let place: Int
  let detail: String

  init(_ token: ArraySlice<UInt8>, _ detail: String) {
    (place, self.detail) = (token.startIndex, detail)
  }
}

private func parsed(_ entry: ArraySlice<UInt8>) throws(Fault) -> (index: Int32, value: Double) {
  let parts = entry.split(
    separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
  guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
    throw Fault(
      entry,
      "found \(quoted(entry)), but an entry index:value was expected, such as 3:-0.25; write the "
        + "index, a colon and the value without blanks between them")
  }
  let name = String(decoding: parts[0], as: UTF8.self)
  guard parts[0].allSatisfy({ 48...57 ~= $0 }), let index = Int32(name), index > 0 else {
    throw Fault(
      entry,
      name == "qid"
        ? "the line names a query (qid:), which only ranking uses; remove the qid: entries if the "
          + "rows are meant as independent"
        : "found the index \(quoted(parts[0])), but indices are whole numbers from 1 to 2147483647; "
          + (name == "0" ? "add 1 to every index of the file" : "correct it"))
  }
  guard let value = number(parts[1]) else {
    throw Fault(
      parts[1],
      "found \(quoted(parts[1])), but the value of an entry is a finite number; correct it, or "
        + "remove the entry if it is zero")
  }
  return (index, value)
}

/// A finite decimal number, which is all that the characters allow.
private func number(_ token: ArraySlice<UInt8>) -> Double? {
  guard token.allSatisfy({ 48...57 ~= $0 || "+-.eE".utf8.contains($0) }) else { return nil }
  return Double(String(decoding: token, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
}

private func advice(forLabel label: ArraySlice<UInt8>) -> String {
  if label.contains(UInt8(ascii: ",")) {
    return "a file with commas is CSV, or has several labels to a row, which is not supported"
  }
  return label.contains(UInt8(ascii: ":")) ? "put the label first" : "correct it"
}

/// What a message may safely show of a file: on one line, without control characters, not long.
private func quoted(_ token: ArraySlice<UInt8>) -> String {
  let text = String(decoding: token, as: UTF8.self)
  return (text.count > 40 ? text.prefix(39) + "…" : text).debugDescription
}

private func isLineEnd(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
}

private func position(of offset: Int, in bytes: [UInt8], _ source: String) -> TextPosition {
  let before = bytes[..<offset]
  let lineStart = before.lastIndex(where: isLineEnd).map { $0 + 1 } ?? 0
  // A CRLF is one character, and one line end.
  let line = String(decoding: before, as: UTF8.self).count { $0.isNewline } + 1
  let start = String(decoding: before[lineStart...], as: UTF8.self)
  let mark = start.hasPrefix("\u{FEFF}") ? 1 : 0
  return TextPosition(source: source, line: line, column: start.count - mark + 1)
}
