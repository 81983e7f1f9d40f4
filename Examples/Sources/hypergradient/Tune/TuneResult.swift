import Autodiff
import Foundation
import HyperparameterProblems

/// How the run of one method ended.
struct TuneResult: Encodable {
  /// The name on the command line, and what it computes.
  let method: String
  let summary: String
  /// What stays wrong at the exact inner solution; nil where nothing does.
  let approximation: String?
  let converged: Bool
  /// Whether it was given up because shorter steps did not help.
  let stuck: Bool
  /// The message of the error that ended the run; nil if none did.
  let failure: String?
  let iterations: Int
  let seconds: Double
  /// At the exact inner solution for the last penalties; nil if there are none.
  let losses: TuneLosses?
  /// The validation loss minus that of the run with exact hypergradients.
  let gap: Double?
  let projectedNorm: Double?
  let innerResidual: Double?
  /// The relative error of the last hypergradient, as the library estimates it from a better one.
  let estimatedRelativeError: Double?
  /// The same against the closed form.
  let relativeError: Double?
  let logPenalties: [Double]
  /// The same by the names of the features.
  let penaltiesByFeature: [String: Double]

  /// The name with "(approximate)" where that is so.
  var label: String { approximation == nil ? method : "\(method) (approximate)" }

  /// "yes", "no", "stopped" or "failed"; what is approximate converges to a point of its own.
  var verdict: String {
    if failure != nil { return "failed" }
    if stuck { return "stopped" }
    guard converged else { return "no" }
    return approximation == nil ? "yes" : "to its own stationary point"
  }

  /// The results of all runs.
  static func results(
    _ runs: [MethodRun], _ problem: TuneProblem, _ settings: TuneSettings
  ) -> [TuneResult] {
    let exact = runs.first { $0.method == TuneMethod.exact.name }?.steps.last?.validationLoss
    return runs.compactMap { run in
      TuneMethod(name: run.method).map { TuneResult(run, $0, problem, settings, exact) }
    }
  }

  private init(
    _ run: MethodRun, _ method: TuneMethod, _ problem: TuneProblem, _ settings: TuneSettings,
    _ exactLoss: Double?
  ) {
    self.method = method.name
    summary = method.summary
    approximation = method.approximation
    converged = run.isConverged
    stuck = run.isStuck
    failure = run.failure
    iterations = max(0, run.steps.count - 1)
    seconds = run.seconds
    let last = run.steps.last
    logPenalties = last?.logPenalties ?? []
    let names = (0..<problem.size).map(problem.data.training.name)
    penaltiesByFeature = Dictionary(zip(names, logPenalties)) { first, _ in first }
    projectedNorm = last?.projectedNorm
    innerResidual = last?.innerResidual
    let y = last.map { Tensor($0.logPenalties) }
    losses = y.flatMap { try? problem.losses(at: $0) }
    gap = last.flatMap { last in exactLoss.map { last.validationLoss - $0 } }
    estimatedRelativeError = y.flatMap { y in
      let estimation = TuneEstimation(problem: problem, method: method, effort: settings.effort)
      let result = try? estimation.evaluate(
        at: y, warmStart: run.evaluatedFrom.warmStart, estimatesError: true)
      return result?.estimatedRelativeError
    }
    relativeError = y.flatMap { y in
      guard
        let exact = try? problem.outer.exactHypergradient(problem.regression, at: y)
      else { return nil }
      let difference = (Tensor(run.gradient) - exact).norm().scalar
      return difference == 0 ? 0 : difference / exact.norm().scalar
    }
  }
}

extension [TuneResult] {
  /// The result to show features of: the first named of those that are as good as the best.
  ///
  /// Methods without a remaining error come before approximate ones, and converged runs before
  /// others; the yardstick counts only where there is nothing else.
  var best: TuneResult? {
    let own = filter { $0.losses != nil && $0.method != TuneMethod.exact.name }
    let candidates = own.isEmpty ? filter { $0.losses != nil } : own
    let tiers = [
      candidates.filter { $0.converged && $0.approximation == nil },
      candidates.filter(\.converged), candidates,
    ]
    guard let tier = tiers.first(where: { !$0.isEmpty }) else { return nil }
    func loss(_ result: TuneResult) -> Double { result.losses?.validation ?? .infinity }
    let smallest = tier.map(loss).min() ?? .infinity
    return tier.first { loss($0) <= smallest + 1e-6 * abs(smallest) }
  }
}

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
