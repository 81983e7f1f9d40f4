import Autodiff
import Foundation
import Testing

/// Needs a program of its own, because a process that is killed cannot test.
@Suite("Killed training")
struct KilledTrainingTests {
  @Test("A training that is killed at ten moments ends in the bits of an undisturbed one")
  func killed() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let undisturbed = try Run(in: directory, name: "undisturbed")
    #expect(try undisturbed.finish() == 80)

    var generator = PhiloxGenerator(seed: 99)
    var acknowledged = 0
    for _ in 0..<10 {
      let run = try Run(in: directory, name: "killed")
      let count = Int.random(in: 1...6, using: &generator)
      try run.allow(count)
      // The last step that is allowed, and the writing of its checkpoint, happen while this waits.
      acknowledged += try run.await(count - 1)
      usleep(UInt32.random(in: 0...3000, using: &generator))
      try run.kill()
    }
    let last = try Run(in: directory, name: "killed")
    let rest = try last.finish()
    // No acknowledged step is ever taken again, and the killed runs did take steps.
    #expect(rest <= 80 - acknowledged)
    #expect(acknowledged >= 10)
    let results = try ["undisturbed", "killed"].map { name in
      try String(contentsOf: directory.appending(path: "\(name).result"), encoding: .utf8)
    }
    #expect(results[0].count > 1000)
    #expect(results[0] == results[1])
  }
}

/// A run of `TrainingProgram`.
private struct Run {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()

  init(in directory: URL, name: String) throws {
    let places =
      [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()]
      + Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
    process.executableURL = try #require(
      places.compactMap { $0?.appending(path: "TrainingProgram") }.first {
        FileManager.default.isExecutableFile(atPath: $0.path)
      }, "TrainingProgram is not beside the tests: \(places)")
    process.arguments = ["checkpoint", "result"].map {
      directory.appending(path: "\(name).\($0)").path
    }
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  /// Lets it take a number of steps.
  func allow(_ count: Int) throws {
    try input.fileHandleForWriting.write(contentsOf: Data(repeating: 46, count: count))
  }

  /// Waits until it has taken a number of steps.
  func `await`(_ count: Int) throws -> Int {
    var found = 0
    while found < count {
      let data = try output.fileHandleForReading.read(upToCount: count - found)
      found += try #require(data, "the program has ended").count
    }
    return found
  }

  /// Ends it without notice.
  func kill() throws {
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    #expect(process.terminationStatus == SIGKILL)
  }

  /// Lets it take the steps that are left, and returns how many they were, at least one.
  func finish() throws -> Int {
    try allow(1000)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
    return output.fileHandleForReading.availableData.count
  }
}
