import Autodiff

/// Where and how often a `Training` writes its checkpoint; at the end of `run` it does so too.
public struct Checkpoints: Sendable, Equatable {
  /// The distance between two checkpoints.
  public enum Interval: Sendable, Equatable {
    /// After every so many steps, counted from the beginning of training.
    case steps(Int)
    /// At the end of every so many epochs.
    case epochs(Int)
  }

  /// The file, which each checkpoint replaces.
  public var path: String
  /// How often it is written.
  public var interval: Interval

  /// A plan to write a file, over and over.
  ///
  /// - Precondition: The interval is above 0.
  public init(at path: String, every interval: Interval) {
    switch interval {
    case .steps(let count), .epochs(let count):
      guard count > 0 else {
        stop("Checkpoints", "expected an interval above 0, found \(interval)")
      }
    }
    self.path = path
    self.interval = interval
  }

  /// Whether a checkpoint is to be written after a step.
  func areDue(stepCount: Int, epochCount: Int, isEndOfEpoch: Bool) -> Bool {
    switch interval {
    case .steps(let count): stepCount % count == 0
    case .epochs(let count): isEndOfEpoch && epochCount % count == 0
    }
  }
}
