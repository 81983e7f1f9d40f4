import Foundation

/// Why a file cannot be read or written: where, what was found, and what to do about it.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What a fault is about, for programs that treat some apart.
  public enum Kind: String, Sendable {
    /// The system refused to read the file, or there is no memory for it.
    case unreadable
    /// The system refused to write the file.
    case unwritable
    /// The bytes are not of the format, or contradict themselves.
    case malformed
    /// The bytes are not those that were written: cut short, or of another checksum.
    case damaged
    /// The format allows it, but it cannot be read here.
    case unsupported
    /// There is no column, array or tensor of a name.
    case unknownName
    /// A field or an element is no number, or none that its tensor can hold.
    case invalidValue
    /// More memory than the caller is willing to take.
    case tooLarge
    /// More bytes were asked for than there are.
    case beyondEnd
    /// A file of its format, but not of the value that is read from it.
    case otherContent
  }

  /// What the fault is about.
  public let kind: Kind
  /// The path of the file, or whatever the caller named the bytes.
  public let source: String
  /// The place in a file of lines.
  public let position: TextPosition?
  /// What is wrong, and what to do, without the place.
  ///
  /// Of the kinds `unreadable` and `unwritable` the reason alone.
  public let detail: String

  /// An error about a file.
  public init(_ kind: Kind, _ source: String, _ detail: String) {
    (self.kind, self.source, self.detail) = (kind, source, detail)
    position = nil
  }

  /// What the system says of a file, by a number such as `errno`.
  init(_ kind: Kind, _ source: String, code: Int32) {
    self.init(kind, source, Self.reason(ofCode: code))
  }

  /// An error about a place of a file of lines.
  public init(_ kind: Kind, at position: TextPosition, _ detail: String) {
    (self.kind, self.detail, self.position) = (kind, detail, position)
    source = position.source
  }

  /// The place and what is wrong there.
  public var description: String {
    let place = position?.description ?? source
    return switch kind {
    case .unreadable: "\(place): cannot be read: \(detail)"
    case .unwritable: "\(place): cannot be written: \(detail)"
    default: "\(place): \(detail)"
    }
  }

  /// What a number of the system, such as `errno`, means, in a few words without the path.
  public static func reason(ofCode code: Int32) -> String {
    switch code {
    case ENOENT: "no such file or directory"
    case EACCES, EPERM: "permission denied"
    case EISDIR: "it is a directory"
    case ENOTDIR: "a part of its path is a file, not a directory"
    case EEXIST: "there is a file of this name"
    case ENOSPC, EDQUOT: "the disk is full"
    case EROFS: "the disk is read-only"
    case EBADF: "it is closed"
    case EPIPE: "nobody reads it any more"
    default: String(cString: strerror(code))
    }
  }
}

/// A place in a file of lines, as an editor shows it.
public struct TextPosition: Equatable, Sendable, CustomStringConvertible {
  /// The name of the file, or whatever the caller named the text.
  public let source: String
  /// The line, counted from 1 over the whole file, line ends inside quoted fields included.
  public let line: Int
  /// The character, counted from 1 in that line.
  public let column: Int
  /// The name of the column the place belongs to, where it has one.
  public let columnName: String?

  /// A position that a reader of one's own has found.
  public init(source: String, line: Int, column: Int, columnName: String? = nil) {
    (self.source, self.line) = (source, line)
    (self.column, self.columnName) = (column, columnName)
  }

  /// The file, the line and the column, and the name of the column.
  public var description: String {
    let place = "\(source), line \(line), column \(column)"
    return columnName.map { "\(place) (\(quoted($0)))" } ?? place
  }
}

// MARK: - What several formats say

extension FileError {
  static func truncated(_ source: String, expected: Int, found: Int) -> FileError {
    FileError(
      .damaged, source,
      "\(expected) bytes were expected, but the file ends after \(found); copy or save it again")
  }

  static func trailingBytes(
    _ source: String, expected: Int, found: Int, _ rest: String
  ) -> FileError {
    FileError(
      .malformed, source, "\(expected) bytes were expected, but the file has \(found); \(rest)")
  }

  static func headerTooLong(
    _ source: String, _ length: UInt64, limit: Int, _ advice: String
  ) -> FileError {
    FileError(
      .malformed, source,
      "a header of \(length) bytes, but at most \(limit) were expected; \(advice)")
  }

  /// - Parameters:
  ///   - kind: What was asked for: a column, an array.
  ///   - shown: How a name is written in the list of those there are.
  static func unknown(
    _ kind: String, _ name: String, in names: [String], of source: String,
    shown: (String) -> String = quoted
  ) -> FileError {
    let nearest = nearest(to: name, in: names).map(quoted).joined(separator: " or ")
    return FileError(
      .unknownName, source,
      "there is no \(kind) \(quoted(name))\(nearest.isEmpty ? "" : "; did you mean \(nearest)?")\n"
        + "The \(kind)s are: \(listed(names, shown))")
  }

  /// The content of the file is another one than expected, with a line for each way in which it is.
  static func otherContent(
    _ source: String, _ summary: String, missing: [String], unexpected: [String],
    different: [String]
  ) -> FileError {
    FileError(
      .otherContent, source,
      summary + (missing.isEmpty ? "" : "\nMissing in the file: " + listed(missing))
        + (unexpected.isEmpty ? "" : "\nOnly in the file: " + listed(unexpected))
        + different.prefix(20).map { "\n" + $0 }.joined()
        + (different.count > 20 ? "\n… and \(different.count - 20) more that differ" : ""))
  }
}

private func listed(_ names: [String], _ shown: (String) -> String = quoted) -> String {
  let limit = 100
  return names.prefix(limit).map(shown).joined(separator: ", ")
    + (names.count > limit ? ", … and \(names.count - limit) more" : "")
}

/// The text in quotes, on one line, without control characters, and cut when long: what a message
/// may safely show of a file.
func quoted(_ text: String) -> String {
  let limit = 40
  let shown = text.count > limit ? text.prefix(limit - 1) + "…" : text[...]
  return String(shown).debugDescription
}

func counted(_ count: Int, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}

/// The one to three of `names` that a misspelt `name` is nearest to, if near at all.
private func nearest(to name: String, in names: [String]) -> [String] {
  let wanted = Array(name.lowercased())
  let limit = max(2, wanted.count / 3)
  let distances = names.map { editDistance(wanted, Array($0.lowercased())) }
  let candidates = names.indices.filter {
    // A name that shares no character with the wanted one is no help.
    distances[$0] <= limit && distances[$0] < max(wanted.count, names[$0].count)
  }
  let least = candidates.map { distances[$0] }.min()
  return candidates.filter { distances[$0] == least }.prefix(3).map { names[$0] }
}

/// The number of insertions, deletions, substitutions and swaps of neighbours between two words
/// (the optimal string alignment distance).
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...b.count)
  for i in a.indices {
    var current = [i + 1]
    for j in b.indices {
      var best = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        best = min(best, beforePrevious[j - 1] + 1)
      }
      current.append(best)
    }
    (beforePrevious, previous) = (previous, current)
  }
  return previous[b.count]
}
