import ExampleSupport
import Foundation
import Testing

@Suite("Directory lock") struct DirectoryLockTests {
  @Test("A directory has one writer") func aDirectoryHasOneWriter() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    var lock: DirectoryLock? = try DirectoryLock(directory: directory.path, program: "study")
    #expect(throws: DirectoryLock.InUse.self) {
      try DirectoryLock(directory: directory.path, program: "study")
    }
    do {
      _ = try DirectoryLock(directory: directory.path, program: "study")
    } catch {
      #expect("\(error)".hasPrefix("another study is writing to \(directory.path); wait for it"))
    }
    withExtendedLifetime(lock) {}
    lock = nil
    _ = try DirectoryLock(directory: directory.path, program: "study")
  }
}
