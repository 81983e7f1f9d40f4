import Foundation

/// A file or directory that could not be written, with the reason and what to do.
public struct OutputError: Error, Equatable, CustomStringConvertible {
  /// The file or directory.
  public let path: String

  /// Why it could not be written.
  public let reason: String

  /// An error about one file or directory.
  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  public var description: String {
    "\(path): cannot be written: \(reason); choose another place"
  }
}

/// Writes a file in one piece: a reader sees the old file or the new one, never a part.
///
/// A pipe or a device, such as `/dev/stdout`, is written directly.
public func atomicWrite(_ text: String, to path: String) throws(OutputError) {
  do {
    let url = URL(fileURLWithPath: path)
    let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    let isRegular = type == nil || type == .typeRegular
    if isRegular {
      try Data(text.utf8).write(to: url, options: .atomic)
    } else {
      let handle = try FileHandle(forWritingTo: url)
      try handle.write(contentsOf: Data(text.utf8))
      try handle.close()
    }
  } catch {
    throw OutputError(path: path, reason: reason(for: error, path: path))
  }
}

/// Whether two paths name the same place, symbolic links followed.
public func isSameFile(_ path: String, _ other: String) -> Bool {
  let paths = [path, other].map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
  return paths[0] == paths[1]
}

/// Refuses a file that `atomicWrite` could not write, before the work whose results it is for.
public func requireWritable(_ path: String) throws(OutputError) {
  let manager = FileManager.default
  var isDirectory: ObjCBool = false
  let exists = manager.fileExists(atPath: path, isDirectory: &isDirectory)
  if exists, isDirectory.boolValue {
    throw OutputError(path: path, reason: "it is a directory")
  }
  let type = try? manager.attributesOfItem(atPath: path)[.type] as? FileAttributeType
  if exists, type != .typeRegular {
    if manager.isWritableFile(atPath: path) { return }
    throw OutputError(path: path, reason: "permission denied")
  }
  // A regular file is replaced, which takes a directory that can be written.
  let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
  guard manager.fileExists(atPath: parent, isDirectory: &isDirectory), isDirectory.boolValue else {
    throw OutputError(path: path, reason: "the directory it should be in does not exist")
  }
  guard manager.isWritableFile(atPath: parent) else {
    throw OutputError(path: path, reason: "permission denied")
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
  public init(path: String) throws(OutputError) {
    self.path = path
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw OutputError(path: path, reason: reason(for: error, path: path))
    }
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    if !exists || !isDirectory.boolValue {
      throw OutputError(path: path, reason: "there is a file of this name")
    }
  }

  /// The path of a file in the directory.
  public func file(_ name: String) -> String {
    path.hasSuffix("/") ? path + name : path + "/" + name
  }
}

/// Why a file operation failed, in a few words; Foundation's own description repeats the path.
private func reason(for error: any Error, path: String) -> String {
  var isDirectory: ObjCBool = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue
  {
    return "it is a directory"
  }
  switch (error as? CocoaError)?.code {
  case .fileWriteFileExists: return "there is a file of this name"
  case .fileNoSuchFile, .fileReadNoSuchFile: return "the directory it should be in does not exist"
  case .fileWriteNoPermission, .fileReadNoPermission: return "permission denied"
  case .fileWriteOutOfSpace: return "the disk is full"
  case .fileWriteVolumeReadOnly: return "the disk is read-only"
  default: return (error as NSError).localizedDescription
  }
}
