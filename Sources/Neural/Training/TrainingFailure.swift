import TensorFiles

/// Why a step of `Training` was not taken, or its checkpoint not written.
///
/// Epochs and batches are counted from 1.
public enum TrainingFailure: Error {
  /// The loss of a batch or the norm of its gradient is infinite or NaN.
  case notFinite(loss: Double, gradientNorm: Double, epoch: Int, batch: Int)
  /// The update by a finite gradient gave a parameter or a running statistic that is not finite.
  case updateNotFinite(name: String, learningRate: Double, epoch: Int, batch: Int)
  /// The validation loss at the end of an epoch is infinite or NaN.
  case validationNotFinite(loss: Double, epoch: Int)
  /// The user's loss threw.
  case loss(any Error, epoch: Int, batch: Int)
  /// The user's validation loss threw.
  case validation(any Error, epoch: Int)
  /// A checkpoint could not be written; the step before it was taken.
  case checkpoint(FileError)
}

extension TrainingFailure: CustomStringConvertible {
  /// Where it happened, what was found, and what to do.
  public var description: String {
    switch self {
    case .notFinite(let loss, let norm, let epoch, let batch):
      """
      epoch \(epoch), batch \(batch): expected a finite loss and gradient, found loss \(loss), \
      gradient norm \(norm). The model is as before this batch. Reduce the learning rate, limit \
      the gradient's norm, standardise the inputs, or look for rows that are not finite
      """
    case .updateNotFinite(let name, let rate, let epoch, let batch):
      """
      epoch \(epoch), batch \(batch): the update with learning rate \(rate) made \(name) infinite \
      or NaN. The model is as before this batch. Reduce the learning rate, or limit the \
      gradient's norm
      """
    case .validationNotFinite(let loss, let epoch):
      """
      epoch \(epoch): expected a finite validation loss, found \(loss). The model is as before the \
      last batch. Look for validation rows that are not finite or far from the training rows
      """
    case .loss(let error, let epoch, let batch):
      "epoch \(epoch), batch \(batch): the loss failed: \(error)"
    case .validation(let error, let epoch):
      "epoch \(epoch): the validation loss failed: \(error)"
    case .checkpoint(let error): "\(error)"
    }
  }
}
