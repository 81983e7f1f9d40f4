import Autodiff

/// How well a nuisance predicts rows it was not fitted on.
public struct NuisanceError: Sendable, Equatable {
  /// What is predicted.
  public let name: String
  /// The root mean square of the out-of-fold error, in the target's units.
  public let rootMeanSquare: Double
  /// 1 − mean squared error / variance; it can be negative.
  public let rSquared: Double
}

extension NuisanceError {
  /// - Parameter errors: Prediction minus target, [n, c], of every split.
  static func outOfFold(
    _ errors: [Tensor], _ columns: Tensor, _ names: [String]
  ) -> [NuisanceError] {
    guard !names.isEmpty, let first = errors.first else { return [] }
    let sum = errors.dropFirst().reduce(square(first)) { $0 + square($1) }
    let squares = (sum / Double(errors.count)).mean(alongAxis: 0).scalars
    let variances = columns.variance(alongAxes: [0]).scalars
    return names.indices.map {
      NuisanceError(
        name: names[$0], rootMeanSquare: squares[$0].squareRoot(),
        rSquared: 1 - squares[$0] / variances[$0])
    }
  }
}
