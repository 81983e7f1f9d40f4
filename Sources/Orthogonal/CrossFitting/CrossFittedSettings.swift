import Autodiff
import Inference

/// What is behind the numbers of a cross-fitted estimate, for summaries.
struct CrossFittedSettings: Sendable {
  let score: String
  var learner = "given"
  var plan: String?
  /// What was done about shared noise, which need not be what was asked for: a baseline has none to
  /// correct.
  var sharedNoise = SharedNoise.kept

  var blocks: [Estimate.SummaryBlock] {
    var blocks: [Estimate.SummaryBlock] = [
      ("Score", [("kind", score), ("nuisances", learner)])
    ]
    if let plan {
      blocks.append(
        ("Resampling", [("cross-fitting", plan), ("shared noise", sharedNoise.rawValue)]))
    }
    return blocks
  }
}
