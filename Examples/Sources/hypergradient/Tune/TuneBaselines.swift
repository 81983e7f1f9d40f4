import Autodiff
import Foundation
import HyperparameterProblems

/// What needs no hypergradients: one penalty for all features, and none.
struct TuneBaselines: Codable {
  /// Log penalties of the grid with their validation losses.
  let grid: [[Double]]
  /// The log penalty of the grid with the smallest validation loss.
  let commonLogPenalty: Double
  let common: TuneLosses
  /// Without penalties; nil where that has no unique solution.
  let unregularized: TuneLosses?

  /// The number of penalties in the grid.
  private static let count = 201

  init(_ problem: TuneProblem, bounds: [Double]) throws(ProblemError) {
    var best: (y: Double, losses: TuneLosses)?
    var grid: [[Double]] = []
    let step = (bounds[1] - bounds[0]) / Double(Self.count - 1)
    for index in 0..<Self.count {
      let y = bounds[0] + Double(index) * step
      let losses = try Self.losses(problem, y)
      grid.append([y, losses.validation])
      if losses.validation < best?.losses.validation ?? .infinity { best = (y, losses) }
    }
    self.grid = grid
    commonLogPenalty = best?.y ?? bounds[0]
    common =
      if let best { best.losses } else { try Self.losses(problem, bounds[0]) }
    // exp(-∞) = 0.
    let none = try? Self.losses(problem, -.infinity)
    unregularized = none.flatMap { $0.validation.isFinite ? $0 : nil }
  }

  private static func losses(
    _ problem: TuneProblem, _ y: Double
  ) throws(ProblemError) -> TuneLosses {
    try problem.losses(at: Tensor(repeating: y, shape: [problem.size]))
  }
}
