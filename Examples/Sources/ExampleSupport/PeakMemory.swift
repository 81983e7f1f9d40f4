import Foundation

/// The high-water mark of this process's resident memory, where the system tells (Linux).
public enum PeakMemory {
  /// Bytes above the level before `body`, at most, while it ran; nil where unknown.
  public static func extra<R>(_ body: () throws -> R) rethrows -> (result: R, bytes: Int?) {
    let isReset = reset()
    let before = bytes("VmRSS")
    let result = try body()
    guard isReset, let before, let peak = bytes("VmHWM") else { return (result, nil) }
    return (result, max(0, peak - before))
  }

  /// Bytes that this process has had in memory at most; nil where unknown.
  public static var ofProcess: Int? { bytes("VmHWM") }

  /// Sets the mark back to the present level.
  private static func reset() -> Bool {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return false }
    defer { try? file.close() }
    do {
      try file.write(contentsOf: Data("5".utf8))
      return true
    } catch {
      return false
    }
  }

  private static func bytes(_ key: String) -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
      return nil
    }
    for line in text.split(separator: "\n") where line.hasPrefix("\(key):") {
      return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        .map { $0 * 1024 }
    }
    return nil
  }
}
