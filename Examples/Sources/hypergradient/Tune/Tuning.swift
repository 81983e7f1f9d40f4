import Autodiff
import Bilevel
import HyperparameterProblems
import Solvers

/// One outer iteration of `tune`.
struct TuneStep: Codable {
  /// 0 is the start.
  let iteration: Int
  /// The time at which these penalties were there, without the evaluation of `validationLoss`.
  let seconds: Double
  /// The validation loss at the exact solution for these penalties.
  let validationLoss: Double
  /// The validation loss where the method took its hypergradient.
  let approximateLoss: Double
  /// ‖F‖ there, relative to ‖F‖ at zero.
  let innerResidual: Double
  /// The norm of the hypergradient, as the method estimates it.
  let hypergradientNorm: Double
  /// The same without the components that point out of the bounds.
  let projectedNorm: Double
  /// y.
  let logPenalties: [Double]
}

/// How `tune` moves, for every method alike.
struct TuneSettings: Codable, Equatable {
  var iterations: Int
  let start: Double
  let bounds: [Double]
  let rule: OuterRule
  let learningRate: Double
  /// The projected hypergradient (of the loss in units of the variance of the label) relative to the
  /// validation loss in the same units, and the inner residual relative to
  /// that at zero, below which a run has converged.
  let tolerance: Double
  let effort: InnerEffort
}

/// The run of one method: everything needed to go on with it.
struct MethodRun: Codable {
  /// Where inner and adjoint solves start.
  struct Start: Codable {
    var inner: [Double]?
    var adjoint: [Double]?

    init(_ warmStart: WarmStart<Tensor>) {
      inner = warmStart.inner?.scalars
      adjoint = warmStart.adjoint?.scalars
    }

    /// A state to solve from.
    var warmStart: WarmStart<Tensor> {
      let state = WarmStart<Tensor>()
      state.inner = inner.map { Tensor($0) }
      state.adjoint = adjoint.map { Tensor($0) }
      return state
    }
  }

  /// The name of the method.
  let method: String
  var steps: [TuneStep] = []
  var isConverged = false
  /// Whether shorter steps have not led nearer to convergence, so that it was given up.
  var isStuck = false
  /// Why it stopped early; nil if it did not.
  var failure: String?
  /// The seconds spent so far.
  var seconds = 0.0
  /// The last hypergradient, and where its solves started.
  private(set) var gradient: [Double] = []
  private(set) var evaluatedFrom: Start
  private var start: Start
  private var descent: OuterDescent
  private var penalties: [Double]

  init(_ method: TuneMethod, _ problem: TuneProblem, _ settings: TuneSettings) {
    self.method = method.name
    start = Start(WarmStart())
    evaluatedFrom = start
    descent = OuterDescent(
      rule: settings.rule, learningRate: settings.learningRate,
      bounds: settings.bounds[0]...settings.bounds[1])
    penalties = descent.projected([Double](repeating: settings.start, count: problem.size))
  }

  /// Takes outer iterations until the run converges, fails or reaches the limit.
  ///
  /// - Parameter observer: Called after each iteration, outside the clock.
  mutating func advance(
    _ problem: TuneProblem, by method: TuneMethod, _ settings: TuneSettings,
    observer: (MethodRun) throws -> Void
  ) throws {
    let estimation = TuneEstimation(problem: problem, method: method, effort: settings.effort)
    let warmStart = start.warmStart
    failure = nil
    while !isConverged, !isStuck, failure == nil, steps.count <= settings.iterations {
      let y = Tensor(penalties)
      do {
        // From zero, not from the last one, so that a resumed run sees the same bits.
        let exact = try problem.solution(at: y)
        try step(estimation, y, warmStart, exact, settings)
      } catch {
        failure = TuneError.text(of: error)
      }
      try observer(self)
    }
  }

  private mutating func step(
    _ estimation: TuneEstimation, _ y: Tensor, _ warmStart: WarmStart<Tensor>, _ exact: Tensor,
    _ settings: TuneSettings
  ) throws {
    let from = Start(warmStart)
    let clock = ContinuousClock()
    let begin = clock.now
    let result = try estimation.evaluate(at: y, warmStart: warmStart)
    guard result.gradient.allSatisfy(\.isFinite), result.loss.isFinite else {
      throw TuneError.notFinite(iteration: steps.count)
    }
    // In units of the variance of the label, so that its own unit changes nothing.
    let unit = estimation.problem.lossUnit
    let scaled = result.gradient.map { $0 / unit }
    let projectedNorm = descent.projectedNorm(penalties, scaled)
    let distance = max(
      projectedNorm / (settings.tolerance * abs(result.loss) / unit),
      result.innerResidual / settings.tolerance)
    let next = descent.next(from: penalties, along: scaled, distance: distance)
    let elapsed = (clock.now - begin) / .seconds(1)

    steps.append(
      TuneStep(
        iteration: steps.count, seconds: seconds,
        validationLoss: estimation.problem.validationLoss(exact, y).scalar,
        approximateLoss: result.loss, innerResidual: result.innerResidual,
        hypergradientNorm: Tensor(result.gradient).norm().scalar,
        projectedNorm: unit * projectedNorm,
        logPenalties: penalties))
    (gradient, evaluatedFrom, start) = (result.gradient, from, Start(warmStart))
    seconds += elapsed
    penalties = next
    isConverged = distance <= 1
    isStuck = descent.isStuck && !isConverged
  }
}

/// Why a run of `tune` cannot go on, or cannot start.
enum TuneError: Error, CustomStringConvertible {
  case notFinite(iteration: Int)
  case zeroCoefficient(feature: String)

  /// What the library says of a failure, with advice in terms of options.
  static func text(of error: any Error) -> String {
    switch error {
    case SolverError.unsolved(let status, of: .inner):
      "inner problem: \(status); choose narrower --bounds with larger penalties, a larger "
        + "--inner-tolerance if one is given, or other --methods"
    case SolverError.unsolved(let status, of: .adjoint):
      "adjoint system: \(status); choose narrower --bounds with larger penalties, or other --methods"
    default: "\(error)"
    }
  }

  var description: String {
    switch self {
    case .notFinite(let iteration):
      "the hypergradient is not finite at outer iteration \(iteration); choose a smaller "
        + "--learning-rate or narrower --bounds"
    case .zeroCoefficient(let feature):
      "the coefficient of \(feature) is 0, where log |x| does not exist; leave the feature "
        + "out, or choose another method than rep-exp"
    }
  }
}
