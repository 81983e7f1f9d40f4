import ExampleSupport
import Foundation
import Synchronization

/// The process of one run.
///
/// A process of its own gives a run its own peak memory and its own share of threads, and gives all
/// memory back at its end.
final class SpriteProcess {
  let specification: SpriteSpecification

  private let process = Process()
  private let output = Pipe()
  private let errors: URL
  private let inbox = Inbox()

  /// Lines that have come so far.
  private final class Inbox: Sendable {
    private let state = Mutex<(rest: Data, last: SpriteRunEvent?)>((Data(), nil))

    var last: SpriteRunEvent? { state.withLock { $0.last } }

    func append(_ data: Data) {
      state.withLock { state in
        state.rest += data
        while let end = state.rest.firstIndex(of: UInt8(ascii: "\n")) {
          let line = Data(state.rest[..<end])
          state.last = parseJSON(SpriteRunEvent.self, line) ?? state.last
          state.rest = Data(state.rest[(end + 1)...])
        }
      }
    }
  }

  /// Starts a run.
  ///
  /// - Parameters:
  ///   - arguments: Of this program.
  ///   - threadCount: The threads of the process.
  init(
    _ specification: SpriteSpecification, arguments: [String], threadCount: Int
  ) throws {
    self.specification = specification
    errors = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data().write(to: errors)
    process.executableURL =
      Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["ADJOINT_THREADS": "\(threadCount)"]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    // A file, because nobody reads a pipe of errors while the run goes on.
    process.standardError = try FileHandle(forWritingTo: errors)
    output.fileHandleForReading.readabilityHandler = { [inbox] handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil } else { inbox.append(data) }
    }
    try process.run()
  }

  /// The last iteration that was reported.
  var lastEvent: SpriteRunEvent? { inbox.last }

  /// What the system calls the process.
  var identifier: Int32 { process.processIdentifier }

  /// Whether the run goes on.
  var isRunning: Bool { process.isRunning }

  /// Whether the run ended as it should.
  var hasSucceeded: Bool {
    !process.isRunning && process.terminationReason == .exit && process.terminationStatus == 0
  }

  /// Why an unsuccessful run ended: what it said, or what ended it.
  var failure: SpriteStudyError {
    let name = specification.name
    let text = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    if process.terminationReason == .uncaughtSignal {
      return .runKilled(name: name, signal: process.terminationStatus, message: trimmed)
    }
    // This program puts the prefix before what it prints itself.
    let prefix = "Error: "
    let message = trimmed.hasPrefix(prefix) ? String(trimmed.dropFirst(prefix.count)) : trimmed
    return message.isEmpty ? .runStopped(name: name) : .runFailed(name: name, message: message)
  }

  /// Asks the run to keep its state and end.
  func terminate() { process.terminate() }

  /// Removes what is left after the end.
  func cleanUp() {
    output.fileHandleForReading.readabilityHandler = nil
    try? FileManager.default.removeItem(at: errors)
  }
}
