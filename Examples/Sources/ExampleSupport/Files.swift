import Foundation
import TensorFiles

/// A file or directory that could not be written, with the reason and what to do.
public struct OutputError: Error, Equatable, CustomStringConvertible {
  /// The file or directory.
  public let path: String

  /// Why it could not be written.
  public let reason: String

  /// An error about one file or directory.
  public init(path: String, reason: String) {
    (self.path, self.reason) = (path, reason)
  }

  public var description: String {
    "\(path): cannot be written: \(reason); choose another place"
  }
}

/// Writes a file in one piece: a reader sees the old file or the new one, never a part.
///
/// A pipe or a device, such as `/dev/stdout`, is written directly.
public func atomicWrite(_ text: String, to path: String) throws(OutputError) {
  try mapped(path) { () throws(FileError) in try AtomicFile.write([Array(text.utf8)], to: path) }
}

/// Whether two paths name the same file; a pipe or a terminal is none.
public func isSameFile(_ path: String, _ other: String) -> Bool {
  let paths = [path, other].map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
  return paths[0] == paths[1] && !TextFile.isStream(path)
}

/// Refuses a file that `atomicWrite` could not write, before the work whose results it is for.
public func requireWritable(_ path: String) throws(OutputError) {
  if TextFile.isStream(path) {
    // Not by trying: the reader of a pipe would see it end.
    if access(path, W_OK) != 0 {
      throw OutputError(path: path, reason: FileError.reason(ofCode: errno))
    }
    return
  }
  try mapped(path) { () throws(FileError) in _ = try AtomicFile(replacing: path) }
}

private func mapped(
  _ path: String, _ body: () throws(FileError) -> Void
) throws(OutputError) {
  do throws(FileError) { try body() } catch {
    throw OutputError(path: path, reason: error.detail)
  }
}

/// Writes a value as JSON in one piece: sorted keys, indented, a line end at the end.
///
/// JSON has no numbers that are not finite; they become the texts `"Infinity"`, `"-Infinity"` and
/// `"NaN"`, which most readers turn back into numbers.
public func writeJSON<T: Encodable>(_ value: T, to path: String) throws(OutputError) {
  try atomicWrite(jsonText(value), to: path)
}

/// The JSON that `writeJSON` writes, or all of it on one line.
public func jsonText<T: Encodable>(_ value: T, isIndented: Bool = true) -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting =
    isIndented
    ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    : [.sortedKeys, .withoutEscapingSlashes]
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
  do {
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  } catch {
    // Only a mistake in an `encode(to:)` of ours can get here.
    fatalError("jsonText: \(T.self) cannot be encoded: \(error)")
  }
}

/// Reads a value that `writeJSON` wrote.
///
/// - Returns: nil where the file is not JSON of such a value.
/// - Throws: What the system says, where the file cannot be read.
public func readJSON<T: Decodable>(_ type: T.Type, from path: String) throws -> T? {
  parseJSON(type, try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// The value whose JSON `jsonText` gave; nil for anything else.
public func parseJSON<T: Decodable>(_ type: T.Type, _ data: Data) -> T? {
  let decoder = JSONDecoder()
  decoder.nonConformingFloatDecodingStrategy = .convertFromString(
    positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
  return try? decoder.decode(type, from: data)
}

/// A directory for the results of a program, made if it is not there.
public struct OutputDirectory: Sendable {
  /// The path of the directory.
  public let path: String

  /// Makes the directory, and those above it, unless it exists.
  ///
  /// - Throws: `OutputError` where that fails, or no file can be written in it.
  public init(path: String) throws(OutputError) {
    self.path = path
    try Self.requireUsable(path)
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      made += "/" + part
      var status = stat()
      guard stat(made, &status) != 0, mkdir(made, 0o777) != 0, errno != EEXIST else { continue }
      throw OutputError(path: path, reason: FileError.reason(ofCode: errno))
    }
    try Self.requireUsable(path)
  }

  /// Refuses a directory in which no file could be written, without making it.
  public static func requireUsable(_ path: String) throws(OutputError) {
    if path.isEmpty { throw OutputError(path: "\"\"", reason: FileError.reason(ofCode: ENOENT)) }
    // What exists of the path.
    var place = path
    var status = stat()
    while stat(place, &status) != 0 {
      guard [ENOENT, ENOTDIR].contains(errno), place != "/", place != "." else {
        throw OutputError(path: path, reason: FileError.reason(ofCode: errno))
      }
      let parent = place.split(separator: "/").dropLast().joined(separator: "/")
      place = path.hasPrefix("/") ? "/" + parent : parent.isEmpty ? "." : parent
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw OutputError(
        path: path, reason: FileError.reason(ofCode: place == path ? EEXIST : ENOTDIR))
    }
    try mapped(path) { () throws(FileError) in
      try AtomicFile.requireWritable(directory: place)
    }
  }

  /// The path of a file in the directory.
  public func file(_ name: String) -> String {
    path.hasSuffix("/") ? path + name : path + "/" + name
  }
}
