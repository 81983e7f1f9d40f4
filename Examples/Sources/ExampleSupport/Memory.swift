import Autodiff
import Foundation

/// A job that would not fit the memory that is free.
public struct NotEnoughMemory: Error, Equatable, CustomStringConvertible {
  let job: String
  let needed: Int
  let available: Int

  public var description: String {
    func megabytes(_ count: Int) -> String { "\(Numbers.count(max(1, count / 1_000_000)))\u{A0}MB" }
    return
      "\(job) takes about \(megabytes(needed)) of memory, but \(megabytes(available)) are free; "
      + "choose a smaller problem, or run it where there is more memory"
  }

  /// Refuses a job before it begins, rather than to be ended by the system in the middle of it.
  ///
  /// - Parameters:
  ///   - byteCount: What the job takes at most at a time, by measurement.
  ///   - job: The job in a few words, for the message.
  ///   - available: The free memory; nil where it is not known, and nothing is refused.
  public static func refuse(
    _ byteCount: Double, for job: String, available: Int? = AvailableMemory.byteCount
  ) throws(NotEnoughMemory) {
    guard let available, byteCount > Double(available) else { return }
    throw NotEnoughMemory(
      job: job, needed: Int(min(byteCount, 1e18)), available: available)
  }
}

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
