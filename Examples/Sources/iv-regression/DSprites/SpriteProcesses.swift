import ExampleSupport
import Foundation
import Synchronization

/// The processes of the runs that go on.
///
/// A process of its own gives a run its own peak memory and its own share of threads, and gives all
/// memory back at its end.
final class SpriteProcesses: Sendable {
  /// A run that goes on, with its last iteration that was reported.
  typealias Running = (run: SpriteSpecification, last: SpriteRunEvent?)

  private let state = Mutex<[Int32: Running]>([:])

  /// The runs that go on, in the order of their processes.
  var running: [Running] { state.withLock { $0.sorted { $0.key < $1.key }.map(\.value) } }

  /// Sends a signal to all.
  func signal(_ number: Int32) {
    state.withLock { for identifier in $0.keys { _ = kill(identifier, number) } }
  }

  /// Starts a run, and waits for its end.
  ///
  /// - Parameters:
  ///   - arguments: Of this program.
  ///   - threadCount: The threads of the process.
  /// - Throws: `SpriteRunError`, unless the run ended as it should.
  func run(
    _ specification: SpriteSpecification, arguments: [String], threadCount: Int
  ) throws {
    let process = Process()
    let output = Pipe()
    // A file, because nobody reads a pipe of errors while the run goes on.
    let errors = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data().write(to: errors)
    defer { try? FileManager.default.removeItem(at: errors) }
    process.executableURL =
      Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["ADJOINT_THREADS": "\(threadCount)"]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    let identifier = process.processIdentifier
    state.withLock { $0[identifier] = (specification, nil) }
    defer { state.withLock { _ = $0.removeValue(forKey: identifier) } }
    read(output.fileHandleForReading, of: identifier)
    process.waitUntilExit()
    let text = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
    let message = text.trimmingCharacters(in: .whitespacesAndNewlines)
    if process.terminationReason == .uncaughtSignal {
      throw SpriteRunError.killed(
        name: specification.name, signal: process.terminationStatus, message: message)
    }
    guard process.terminationStatus != 0 else { return }
    // This program puts the prefix before what it prints itself.
    let prefix = "Error: "
    let own = message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message
    throw own.isEmpty
      ? SpriteRunError.stopped(name: specification.name)
      : .failed(name: specification.name, message: own)
  }

  /// Takes note of each line that a process reports, to its end.
  private func read(_ handle: FileHandle, of identifier: Int32) {
    var rest = Data()
    while case let data = handle.availableData, !data.isEmpty {
      rest += data
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        if let event = parseJSON(SpriteRunEvent.self, Data(rest[..<end])) {
          state.withLock { $0[identifier]?.last = event }
        }
        rest = Data(rest[(end + 1)...])
      }
    }
  }
}

/// Why a run did not end.
enum SpriteRunError: Error, CustomStringConvertible {
  case failed(name: String, message: String)
  case killed(name: String, signal: Int32, message: String)
  case stopped(name: String)
  case invalidRequest
  case damagedCheckpoint(path: String, run: String, reason: String)

  var description: String {
    switch self {
    case .failed(let name, let message):
      "the run \(name): \(message)"
    case .killed(let name, let signal, let message):
      (message.isEmpty ? "" : message + "\n") + "the run \(name) was ended by signal \(signal)"
        + (signal == SIGKILL
          ? ", often for want of memory: try fewer --jobs or a smaller --size" : "")
        + Self.resumption
    case .stopped(let name):
      "the run \(name) stopped without a message" + Self.resumption
    case .damagedCheckpoint(let path, let run, let reason):
      "\(path) is damaged; delete it to begin run \(run) anew\n(\(reason))"
    case .invalidRequest:
      "expected the description of a run, as 'iv-regression dsprites' gives it; use that command"
    }
  }

  private static let resumption = "\nRuns that have ended are kept; add --resume to go on"
}
