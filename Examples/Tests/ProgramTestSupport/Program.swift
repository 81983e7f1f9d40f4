import Foundation

/// A program of this package, which lies beside the test bundle.
public struct Program: Sendable {
  /// What a run left.
  public struct Result {
    /// The exit status; −1 where a signal ended it.
    public let status: Int32
    /// Standard output.
    public let output: String
    /// Standard error.
    public let errors: String
  }

  private let name: String

  /// The program of a name.
  public init(named name: String) { self.name = name }

  /// Runs it in a directory and waits for its end.
  ///
  /// - Parameters:
  ///   - file: A file at whose appearance the program is interrupted, as by Ctrl-C.
  ///   - signal: What it is interrupted by.
  public func run(
    _ arguments: [String], in directory: URL, interruptedBy file: URL? = nil,
    signal: Int32 = SIGINT
  ) throws -> Result {
    let process = Process()
    process.executableURL = try executable()
    process.arguments = arguments
    process.currentDirectoryURL = directory
    // Files rather than pipes: a pipe that nobody reads while the program runs can fill up.
    let names = [UUID().uuidString, UUID().uuidString]
    let urls = names.map { FileManager.default.temporaryDirectory.appending(path: $0) }
    defer { for url in urls { try? FileManager.default.removeItem(at: url) } }
    for url in urls { try Data().write(to: url) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: urls[0])
    process.standardError = try FileHandle(forWritingTo: urls[1])
    try process.run()
    if let file {
      while process.isRunning, !FileManager.default.fileExists(atPath: file.path) {
        Thread.sleep(forTimeInterval: 0.02)
      }
      kill(process.processIdentifier, signal)
    }
    process.waitUntilExit()
    return Result(
      status: process.terminationReason == .exit ? process.terminationStatus : -1,
      output: try String(contentsOf: urls[0], encoding: .utf8),
      errors: try String(contentsOf: urls[1], encoding: .utf8))
  }

  private func executable() throws -> URL {
    let places =
      [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()]
      + Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
    let candidates = places.compactMap { $0?.appending(path: name) }
    guard
      let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) })
    else {
      throw NotFound(description: "\(name) is not beside the tests: \(candidates.map(\.path))")
    }
    return found
  }

  private struct NotFound: Error, CustomStringConvertible {
    let description: String
  }
}

/// A directory of its own for a test, removed with `remove()`.
public struct Workspace {
  /// The directory.
  public let url: URL

  /// Makes the directory.
  public init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  /// Removes it.
  public func remove() { try? FileManager.default.removeItem(at: url) }

  /// Writes a text file.
  public func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: url.appending(path: name))
  }

  /// The object in a JSON file.
  public func json(_ name: String) throws -> [String: Any] {
    let data = try Data(contentsOf: url.appending(path: name))
    guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw CocoaError(.propertyListReadCorrupt)
    }
    return object
  }

  /// The records in a file of a study, a line of JSON to each after the first.
  public func records(_ name: String) throws -> [[String: Any]] {
    try String(contentsOf: url.appending(path: name), encoding: .utf8).split(separator: "\n")
      .dropFirst().map { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
        guard let record = object as? [String: Any] else {
          throw CocoaError(.propertyListReadCorrupt)
        }
        return record
      }
  }
}
