import Autodiff

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
