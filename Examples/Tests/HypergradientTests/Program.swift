import Foundation
import Testing

/// Runs the built `hypergradient`, which lies beside the test bundle.
enum Program {
  struct Result {
    let status: Int32
    let output: String
    let errors: String
  }

  static func run(_ arguments: [String], in directory: URL) throws -> Result {
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
    process.waitUntilExit()
    return Result(
      status: process.terminationReason == .exit ? process.terminationStatus : -1,
      output: try String(contentsOf: urls[0], encoding: .utf8),
      errors: try String(contentsOf: urls[1], encoding: .utf8))
  }

  static func executable() throws -> URL {
    let name = "hypergradient"
    let places =
      [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()]
      + Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
    let candidates = places.compactMap { $0?.appending(path: name) }
    return try #require(
      candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) },
      "hypergradient is not beside the tests: \(candidates.map(\.path))")
  }
}

/// A directory of its own for a test, removed with `remove()`.
struct Workspace {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: url) }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: url.appending(path: name))
  }

  func json(_ name: String) throws -> [String: Any] {
    let data = try Data(contentsOf: url.appending(path: name))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }
}
