import Autodiff
import Bilevel
import HyperparameterProblems

/// Finds penalties that make the outer objective small, by descent along hypergradients.
///
/// - Parameters:
///   - problem: The problem; `hyperparameters` is the start.
///   - settings: Steps and bounds.
///   - progress: Called after each outer iteration.
/// - Returns: One record to an outer iteration, the start included.
/// - Throws: Whatever an inner or linear solver throws.
func tune(
  _ problem: HyperparameterProblem, settings: TuneSettings, progress: (TuneStep) -> Void
) throws -> [TuneStep] {
  throw EstimatorsUnavailable()
}

struct EstimatorsUnavailable: Error {}
