import ExampleSupport
import Foundation

/// The file in which a study keeps its replications: a line with the specification, then a line of
/// JSON for each.
///
/// A line is written in one piece and the file only grows, so an interruption or a kill loses at most
/// the replications in progress.
final class ReplicationFile<Specification: StudySpecification> {
  typealias Replication = Specification.Replication

  let path: String
  private(set) var replications: [Replication] = []
  private let handle: FileHandle

  /// Opens or begins the file.
  ///
  /// - Throws: `StudyError` where there is one already but it is not to be continued, where it is of
  ///   other options or of another version, and where it is damaged.
  init(path: String, _ specification: Specification, resumes: Bool) throws {
    self.path = path
    if FileManager.default.fileExists(atPath: path) {
      let contents = try Self.contents(of: path, specification, resumes: resumes)
      replications = contents.replications
      handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      // What a kill has left of a line is written anew.
      try handle.truncate(atOffset: UInt64(contents.byteCount))
      try handle.seekToEnd()
    } else {
      try atomicWrite(Self.line(specification), to: path)
      handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try handle.seekToEnd()
    }
  }

  deinit { try? handle.close() }

  /// Adds a replication.
  func append(_ replication: Replication) throws(OutputError) {
    do {
      try handle.write(contentsOf: Data(Self.line(replication).utf8))
    } catch {
      throw OutputError(path: path, reason: "\(error.localizedDescription)")
    }
    replications.append(replication)
  }

  private static func contents(
    of path: String, _ specification: Specification, resumes: Bool
  ) throws -> (replications: [Replication], byteCount: Int) {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw StudyError.unreadable(path: path)
    }
    let end = data.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let lines = data[..<end].split(separator: UInt8(ascii: "\n"))
    guard let head = lines.first,
      let version = parseJSON(StudyVersion.self, Data(head))?.version
    else { throw StudyError.damaged(path: path, line: 1) }
    guard resumes else { throw StudyError.exists(path: path, count: lines.count - 1) }
    guard version == Specification.currentVersion else {
      throw StudyError.otherVersion(path: path)
    }
    guard let kept = parseJSON(Specification.self, Data(head)) else {
      throw StudyError.damaged(path: path, line: 1)
    }
    if let difference = kept.difference(from: specification) {
      throw StudyError.otherOptions(
        path: path, option: difference.option, found: difference.found, wanted: difference.wanted)
    }
    let replications = try lines.dropFirst().enumerated().map { index, line in
      guard let replication = parseJSON(Replication.self, Data(line)) else {
        throw StudyError.damaged(path: path, line: index + 2)
      }
      return replication
    }
    return (replications, end)
  }

  private static func line<T: Encodable>(_ value: T) -> String {
    jsonText(value, isIndented: false)
  }
}

/// What the first line has in every version.
private struct StudyVersion: Decodable {
  let version: Int
}

/// Why the file of a study cannot be used.
enum StudyError: Error, CustomStringConvertible {
  case unreadable(path: String)
  case damaged(path: String, line: Int)
  case exists(path: String, count: Int)
  case otherVersion(path: String)
  case otherOptions(path: String, option: String, found: String, wanted: String)

  var description: String {
    switch self {
    case .unreadable(let path):
      "\(path): cannot be read; check its permissions, or choose another --output"
    case .damaged(let path, let line):
      "\(path), line \(line): is not what this program wrote; delete the file to begin anew, or "
        + "choose another --output"
    case .exists(let path, let count):
      "\(path): holds \(count) \(count == 1 ? "replication" : "replications") already; add "
        + "--resume to keep them and make those that are missing, or choose another --output"
    case .otherVersion(let path):
      "\(path): was written by another version of this program, whose numbers differ; delete the "
        + "file to begin anew, or choose another --output"
    case .otherOptions(let path, let option, let found, let wanted):
      "\(path): belongs to other options: \(option) was \(found) there and is \(wanted) now; "
        + "repeat the options of that study, or choose another --output"
    }
  }
}
