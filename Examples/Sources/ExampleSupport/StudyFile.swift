import Foundation

/// The file in which a program keeps what it has of a study, to go on from: a line of JSON with the
/// options that its numbers depend on, then a line to each record.
///
/// Records are added a line at a time, in one piece, or the whole file is written anew in one piece, so
/// that an interruption or a kill loses at most what is in progress.
public final class StudyFile<Record: Codable> {
  /// The path of the file.
  public let path: String
  /// What the file holds.
  public private(set) var records: [Record] = []

  private let header: StudyHeader
  private var handle: FileHandle?

  /// A file of a study; nothing is read or written yet.
  ///
  /// - Parameters:
  ///   - format: A name that changes where the same options give other numbers.
  ///   - options: The options, as errors name them.
  public init(path: String, format: String, options: [StudyOption]) {
    self.path = path
    header = StudyHeader(format: format, options: options.map { [$0.name, $0.value] })
  }

  deinit { try? handle?.close() }

  /// Reads the records.
  ///
  /// - Returns: How many bytes they take; what a kill has left of a further line does not count.
  /// - Throws: A `StudyError` where the file cannot be read, is damaged, or belongs to other options.
  @discardableResult
  public func read() throws(StudyError) -> Int {
    let lines = try lines()
    guard let head = lines.first, let kept = parseJSON(StudyHeader.self, Data(head)) else {
      throw .damaged(path: path, line: 1)
    }
    guard kept.format == header.format else {
      throw .otherFormat(path: path, found: kept.format, wanted: header.format)
    }
    for option in header.options {
      guard let other = kept.options.first(where: { $0[0] == option[0] }), other != option else {
        continue
      }
      throw .otherOptions(path: path, option: option[0], found: other[1], wanted: option[1])
    }
    var records: [Record] = []
    for (index, line) in lines.enumerated().dropFirst() {
      guard let record = parseJSON(Record.self, Data(line)) else {
        throw .damaged(path: path, line: index + 1)
      }
      records.append(record)
    }
    self.records = records
    return lines.reduce(0) { $0 + $1.count + 1 }
  }

  /// Opens the file to add records, and reads what it holds; begins it where there is none.
  ///
  /// - Throws: A `StudyError` as `read` does, and where there is a file but it is not to be continued.
  public func open(resumes: Bool) throws {
    if FileManager.default.fileExists(atPath: path) {
      if !resumes { throw StudyError.exists(path: path, count: try lines().count - 1) }
      let byteCount = try read()
      handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try handle?.truncate(atOffset: UInt64(byteCount))
    } else {
      try replace(by: [])
      handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    }
    try handle?.seekToEnd()
  }

  /// Adds a record to a file that is open.
  public func append(_ record: Record) throws(OutputError) {
    do {
      try handle?.write(contentsOf: Data(jsonText(record, isIndented: false).utf8))
    } catch {
      throw OutputError(path: path, reason: "\(error.localizedDescription)")
    }
    records.append(record)
  }

  /// Writes the file anew.
  public func replace(by records: [Record]) throws(OutputError) {
    let lines = records.map { jsonText($0, isIndented: false) }
    try atomicWrite(jsonText(header, isIndented: false) + lines.joined(), to: path)
    self.records = records
  }

  /// The lines that have an end.
  private func lines() throws(StudyError) -> [Data.SubSequence] {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      let isThere = FileManager.default.fileExists(atPath: path)
      throw .unreadable(path: path, reason: isThere ? "check its permissions" : "no such file")
    }
    let end = data.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return data[..<end].split(separator: UInt8(ascii: "\n"))
  }
}

/// An option that the numbers of a study depend on.
public typealias StudyOption = (name: String, value: String)

private struct StudyHeader: Codable {
  let format: String
  let options: [[String]]
}

/// Why the file of a study cannot be used.
public enum StudyError: Error, Equatable, CustomStringConvertible {
  /// It cannot be read.
  case unreadable(path: String, reason: String)
  /// A line is not what the program wrote.
  case damaged(path: String, line: Int)
  /// It is there but not to be continued.
  case exists(path: String, count: Int)
  /// It is of another program or version.
  case otherFormat(path: String, found: String, wanted: String)
  /// It belongs to other options.
  case otherOptions(path: String, option: String, found: String, wanted: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason)"
    case .damaged(let path, let line):
      "\(path), line \(line): is not what this program wrote; delete the file to begin anew, or "
        + "choose another --output"
    case .exists(let path, let count):
      "\(path): holds \(Numbers.counted(count, "record")) already; add --resume to keep them and make "
        + "those that are missing, or choose another --output"
    case .otherFormat(let path, let found, let wanted):
      "\(path): expected '\(wanted)', found '\(found)', of another program or another version, whose "
        + "numbers differ; delete the file to begin anew, or choose another --output"
    case .otherOptions(let path, let option, let found, let wanted):
      "\(path): belongs to other options: \(option) was \(found) there and is \(wanted) now; "
        + "repeat the options of that study, or choose another --output"
    }
  }
}
