import Autodiff

/// When a validation loss that no longer falls ends a run.
///
/// Prechelt, Early stopping — but when? (1998), with the criterion of consecutive epochs.
public struct EarlyStopping: Sendable, Equatable {
  /// How many epochs after the best one may pass without an improvement.
  public var patience: Int
  /// By how much a validation loss must lie below the best one to count as an improvement.
  public var minimumImprovement: Double

  /// A rule that waits for so many epochs.
  ///
  /// - Precondition: The patience is at least 1, the improvement finite and not negative.
  public init(patience: Int, minimumImprovement: Double = 0) {
    guard patience >= 1 else {
      stop("EarlyStopping", "expected a patience of at least one epoch, found \(patience)")
    }
    guard minimumImprovement >= 0, minimumImprovement < .infinity else {
      stop(
        "EarlyStopping",
        "expected a finite improvement of at least 0, found \(minimumImprovement)")
    }
    self.patience = patience
    self.minimumImprovement = minimumImprovement
  }
}
