import Autodiff
import Inference
import Solvers

extension AffineScore {
  /// A word for it.
  var name: String {
    switch self {
    case .orthogonal: "orthogonal (efficient, doubly robust)"
    case .plugIn: "plug-in (not orthogonal: its interval is not valid)"
    case .residual: "single-sample residual (not orthogonal: its interval is not valid)"
    }
  }
}

extension AffineFit {
  /// Blocks for `Estimate.summary(blocks:)`.
  ///
  /// The score, how well nuisances predict rows they were not fitted on, the splits, and how well ω is
  /// identified.
  public var summaryBlocks: [Estimate.SummaryBlock] {
    var blocks = settings.blocks
    if !nuisanceErrors.isEmpty {
      let lines = nuisanceErrors.map { error in
        (
          label: error.name,
          text: "RMSE \(number(error.rootMeanSquare)), R² \(number(error.rSquared))"
        )
      }
      blocks.insert(("Nuisances, out of fold", lines), at: 1)
    }
    if let conditioning {
      blocks.append(
        (
          "Identification",
          [("smallest / largest singular value of ∂ω mean φ", number(conditioning))]
        ))
    }
    return blocks
  }

  /// The ratio of the smallest to the largest singular value of the mean derivative of the score.
  ///
  /// Near zero some direction of ω hardly moves the gradient, and a small gradient says little about
  /// ω along it. Nil where it cannot be found.
  public var conditioning: Double? {
    guard let values = try? singularValues(meanSlope).scalars, let largest = values.first,
      let smallest = values.last, largest > 0
    else { return nil }
    return smallest / largest
  }
}
