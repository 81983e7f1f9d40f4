import Autodiff
import TensorFiles

/// Labelled rows in the text format of LIBSVM.
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
  public private(set) var featureCount: Int

  /// The number of rows.
  public var rowCount: Int { labels.count }

  /// The entries of a row, by columns from 0.
  private typealias Entry = (column: Int, value: Double)
  private var rows: [[Entry]] = []

  /// Reads rows from the bytes of a file.
  ///
  /// - Parameter stated: The number of features, for a part of a data set whose largest index may be
  ///   absent; nil for the largest index of the file.
  /// - Throws: A `LIBSVMError` if the bytes are malformed.
  public init(
    parsing bytes: [UInt8], source: String, featureCount stated: Int? = nil
  ) throws(LIBSVMError) {
    self.source = source
    featureCount = stated ?? 0
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw LIBSVMError(
        source,
        "the file is UTF-16 (a text file \"in Unicode\" of a spreadsheet program); save the "
          + "file as UTF-8")
    }
    let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    var (line, start) = (1, hasMark ? 3 : 0)
    while start < bytes.count {
      let end = bytes[start...].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? bytes.count
      try read(bytes[start..<end], line: line, stated)
      let isPair = end + 1 < bytes.count && bytes[end] == 0x0D && bytes[end + 1] == 0x0A
      (line, start) = (line + 1, end + (isPair ? 2 : 1))
    }
    if labels.isEmpty {
      throw LIBSVMError(source, "the file has no rows; expected lines such as 1 1:0.5 3:-2")
    }
  }

  private mutating func read(
    _ line: ArraySlice<UInt8>, line number: Int, _ stated: Int?
  ) throws(LIBSVMError) {
    func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
    func finite(_ text: String) -> Double? {
      // Not the hexadecimal numbers that Swift reads.
      text.contains { "xX".contains($0) } ? nil : Double(text).flatMap { $0.isFinite ? $0 : nil }
    }
    func error(_ token: ArraySlice<UInt8>, _ message: String) -> LIBSVMError {
      LIBSVMError(
        "\(source), line \(number), column \(token.startIndex - line.startIndex + 1)", message)
    }
    let content = line.prefix { $0 != UInt8(ascii: "#") }
    let tokens = content.split { $0 == 0x20 || $0 == 0x09 }
    guard let first = tokens.first else { return }
    guard let label = finite(text(first)) else {
      let found = text(first)
      throw error(
        first,
        "found \"\(found)\", but a line starts with its label, a finite number; "
          + (found.contains(",")
            ? "a file with commas is CSV, or has several labels to a row, which is not supported"
            : found.contains(":") ? "put the label first" : "correct it"))
    }
    var entries: [Entry] = []
    for token in tokens.dropFirst() {
      let parts = text(token).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        .map(String.init)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw error(
          token,
          "found \"\(text(token))\", but an entry index:value was expected, such as "
            + "3:-0.25; write the index, a colon and the value without blanks between them")
      }
      guard parts[0].allSatisfy(\.isASCIIDigit), let index = Int32(parts[0]).map(Int.init),
        index > 0
      else {
        throw error(
          token,
          parts[0] == "qid"
            ? "the line names a query (qid:), which only ranking uses; remove the qid: entries if "
              + "the rows are meant as independent"
            : "found the index \"\(parts[0])\", but indices are whole numbers from 1 to 2147483647; "
              + (parts[0] == "0" ? "add 1 to every index of the file" : "correct it"))
      }
      if let last = entries.last, index <= last.column + 1 {
        throw error(
          token,
          "index \(index) follows index \(last.column + 1), but indices increase along a "
            + "line; "
            + (index == last.column + 1
              ? "remove one of the two entries" : "sort the entries of the line"))
      }
      if let stated, index > stated {
        throw error(
          token,
          "found index \(index), but \(stated) features were expected, as in the training rows; "
            + "remove the entry, or give two files with the same features")
      }
      guard let value = finite(parts[1]) else {
        throw error(
          token.dropFirst(parts[0].utf8.count + 1),
          "found \"\(parts[1])\", but the value of an entry is a finite number; correct it, or "
            + "remove the entry if it is zero")
      }
      entries.append((index - 1, value))
      featureCount = max(featureCount, index)
    }
    labels.append(label)
    rows.append(entries)
  }

  /// The features as a `float64` matrix [rows, features], zero where an entry is omitted.
  ///
  /// - Throws: A `LIBSVMError` for more than 64 MiB that are also more than a thousand times the entries of
  ///   the file, or half the free memory: one absurd index must not take all of it.
  public func features() throws(LIBSVMError) -> Tensor {
    let (count, overflows) = rowCount.multipliedReportingOverflow(by: featureCount)
    let entryCount = rows.reduce(0) { $0 + $1.count }
    let isOutOfProportion = count > 1 << 23 && count / 1000 > entryCount + rowCount
    let limit = (AvailableMemory.byteCount ?? .max) / 2 / MemoryLayout<Double>.stride
    if overflows || isOutOfProportion || count > max(1 << 23, limit) {
      throw LIBSVMError(
        source,
        "\(rowCount) rows of \(featureCount) features are too many for a dense matrix of "
          + "this file in the free memory; keep fewer rows, or check the largest index")
    }
    var elements = [Double](repeating: 0, count: count)
    for (row, entries) in rows.enumerated() {
      for entry in entries { elements[row * featureCount + entry.column] = entry.value }
    }
    return Tensor(elements, shape: [rowCount, featureCount])
  }

  /// The rows of which every feature is written, in the order of the file; a zero that is written is not left
  /// out.
  ///
  /// Some data sets mark a missing value by leaving it out, which then must not be read as zero.
  public func droppingRowsWithOmittedEntries() -> LIBSVMDataset {
    var complete = self
    let kept = rows.indices.filter { rows[$0].count == featureCount }
    complete.labels = kept.map { labels[$0] }
    complete.rows = kept.map { rows[$0] }
    return complete
  }
}

/// What is wrong with a LIBSVM file, where, and what to do about it.
public struct LIBSVMError: Error, Equatable, CustomStringConvertible {
  public let description: String

  fileprivate init(_ place: String, _ message: String) { description = "\(place): \(message)" }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
