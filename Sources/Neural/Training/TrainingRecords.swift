/// What one step of `Training` has done.
public struct TrainingStep: Sendable, Equatable {
  /// The loss of the batch before the update.
  public let loss: Double
  /// The Euclidean norm of the gradient before clipping.
  public let gradientNorm: Double
  /// The learning rate of the update: the base rate times the factor of the schedule.
  public let learningRate: Double
  /// The epoch that ended with this step, if one did.
  public let endedEpoch: TrainingEpoch?
}

/// What one pass of `Training` over the rows has come to.
public struct TrainingEpoch: Sendable, Equatable {
  /// The number of the epoch; the first is 1.
  public let number: Int
  /// The mean over the rows of the losses of their batches, each before its update.
  public let loss: Double
  /// The mean over the rows of the validation losses of their batches, after the last update; nil
  /// without validation.
  public let validationLoss: Double?
  /// The learning rate of the last update.
  public let learningRate: Double

  /// A record with numbers of one's own.
  public init(number: Int, loss: Double, validationLoss: Double?, learningRate: Double) {
    self.number = number
    self.loss = loss
    self.validationLoss = validationLoss
    self.learningRate = learningRate
  }
}

extension TrainingEpoch: CustomStringConvertible {
  /// One line for a log.
  public var description: String {
    let validation = validationLoss.map { ", validation \($0)" } ?? ""
    return "epoch \(number): loss \(loss)\(validation), learning rate \(learningRate)"
  }
}
