import Autodiff

/// A line search for the Wolfe conditions that works down to rounding.
///
/// On φ(α) = f(x + α d) a step is accepted when
///
///     φ(α) ≤ φ(0) + δ α φ′(0)  and  φ′(α) ≥ σ φ′(0)
///
/// or, since near a minimum the first condition compares rounding errors long before the gradient
/// is small, when φ(α) ≤ φ(0) up to rounding and
///
///     (2δ − 1) φ′(0) ≥ φ′(α) ≥ σ φ′(0),
///
/// which is the first condition for a quadratic, written with slopes. Where even that fails because
/// the objective is less accurate than its size tells (a small difference of large terms), values
/// are disregarded from then on, and a step has to satisfy the slopes and must not raise ‖∇f‖ tenfold.
///
/// Hager and Zhang, A new conjugate gradient method with guaranteed descent and an efficient line
/// search (2005). Each trial costs one value with gradient.
struct LineSearch {
  /// How trial steps are found.
  enum Method {
    /// Bracketing a minimum of φ, for directions whose natural step is not 1.
    case bracketing
    /// Shrinking by a factor.
    case backtracking(shrinkage: Double)
  }

  /// A point on the ray.
  struct Trial {
    let step: Double
    let end: ObjectivePoint
    let slope: Double

    var isFinite: Bool { end.residual.isFinite && slope.isFinite }
  }

  private let method: Method
  /// δ, the part of the predicted decrease that suffices.
  private let sufficientDecrease: Double
  /// σ, the part of the slope that may remain.
  private let curvature: Double
  private var trustsObjective = true
  /// The least objective at any origin so far.
  private var lowestValue = Double.infinity
  /// Searches in a row that found no upper end of a bracket.
  private var endlessSearches = 0
  /// Why the last search found nothing: the objective falls until it is not finite or for as long
  /// as it was followed, the shortest trial was not finite, or no trial was good enough.
  private(set) var failure = SolverStatus.Outcome.stalled

  private static let maximumTrials = 40

  private init(_ method: Method, sufficientDecrease: Double, curvature: Double) {
    self.method = method
    self.sufficientDecrease = sufficientDecrease
    self.curvature = curvature
  }

  static func bracketing(curvature: Double = 0.9) -> Self {
    Self(.bracketing, sufficientDecrease: 0.1, curvature: curvature)
  }

  /// Any remaining slope is accepted: a step that is too short is for the caller to let grow.
  static func backtracking(shrinkage: Double) -> Self {
    Self(
      .backtracking(shrinkage: shrinkage), sufficientDecrease: 0.3, curvature: .infinity)
  }

  /// Advances a run along a descent direction.
  ///
  /// - Returns: The new point, or nil where no step is acceptable, for the reason `failure`.
  mutating func advance(
    _ run: inout InnerRun, from origin: ObjectivePoint, along direction: Tensor, step: Double
  ) throws(SolverError) -> Trial? {
    let start = Trial(step: 0, end: origin, slope: inner(origin.gradient, direction))
    var found = try search(&run, start, direction, step)
    if found == nil, trustsObjective {
      trustsObjective = false
      found = try search(&run, start, direction, step)
    }
    guard let found else { return nil }
    // Also where values are not trusted: rounding reaches new lowest values ever more rarely.
    lowestValue = min(lowestValue, origin.value)
    let isProgress = found.end.value < lowestValue - origin.resolution
    try run.advance(
      to: found.end.x, found.end.gradient, size: found.end.residual, isProgress: isProgress)
    return found
  }

  private mutating func search(
    _ run: inout InnerRun, _ start: Trial, _ direction: Tensor, _ step: Double
  ) throws(SolverError) -> Trial? {
    switch method {
    case .bracketing: try bracket(&run, start, direction, step)
    case .backtracking(let shrinkage): try backtrack(&run, start, direction, step, shrinkage)
    }
  }

  // MARK: Conditions

  private func accepts(_ trial: Trial, from start: Trial) -> Bool {
    guard trial.isFinite, trial.slope >= -curvature * abs(start.slope) else { return false }
    let hasSlopes = trial.slope <= (2 * sufficientDecrease - 1) * start.slope
    guard trustsObjective else { return hasSlopes && trial.end.residual < 10 * start.end.residual }
    return decreases(trial, from: start) || (hasSlopes && !isTooHigh(trial, start))
  }

  private func decreases(_ trial: Trial, from start: Trial) -> Bool {
    trial.end.value <= start.end.value + sufficientDecrease * trial.step * start.slope
  }

  private func isTooHigh(_ trial: Trial, _ start: Trial) -> Bool {
    trustsObjective && trial.end.value > start.end.value + start.end.resolution
  }

  // MARK: Searches

  private mutating func trial(
    _ run: inout InnerRun, _ start: Trial, _ direction: Tensor, _ step: Double
  ) throws(SolverError) -> Trial {
    let end = try run.objective(at: start.end.x + step * direction)
    let trial = Trial(step: step, end: end, slope: inner(end.gradient, direction))
    failure = trial.isFinite ? .stalled : .notFinite
    return trial
  }

  private mutating func backtrack(
    _ run: inout InnerRun, _ start: Trial, _ direction: Tensor, _ firstStep: Double,
    _ shrinkage: Double
  ) throws(SolverError) -> Trial? {
    // Until steps are lost in rounding, however large the first one was.
    let length = norm(direction)
    let smallest = start.end.x.scalarType.ulpOfOne * norm(start.end.x)
    var step = firstStep
    while step * length > smallest {
      let trial = try trial(&run, start, direction, step)
      if accepts(trial, from: start) { return trial }
      step *= shrinkage
    }
    return nil
  }

  /// Brackets a minimum of φ and shrinks the bracket until a trial is accepted.
  private mutating func bracket(
    _ run: inout InnerRun, _ start: Trial, _ direction: Tensor, _ firstStep: Double
  ) throws(SolverError) -> Trial? {
    // φ descends at `low`, and a minimum lies between it and `high`.
    var (low, high) = (start, Trial?.none)
    var step = firstStep
    var width = Double.infinity
    for _ in 0..<Self.maximumTrials {
      let trial = try trial(&run, start, direction, step)
      if accepts(trial, from: start) {
        endlessSearches = 0
        return trial
      }
      if !trial.isFinite || trial.slope >= 0 || isTooHigh(trial, start) {
        high = trial
      } else if high == nil {
        step = extrapolation(low, trial)
        low = trial
        continue
      } else {
        low = trial
      }
      guard let high else { continue }
      let newWidth = high.step - low.step
      guard newWidth > run.point.scalarType.ulpOfOne * high.step else { break }
      // A bracket that hardly shrinks is halved, so that one fixed end cannot slow the search.
      step =
        newWidth > 0.66 * width && high.isFinite
        ? low.step + 0.5 * newWidth : interpolation(low, high, start)
      width = newWidth
    }
    // φ may have no minimum. One search without an upper end, over a factor of 2⁴⁰ at least, may be
    // owed to a first step in the wrong units; two are not.
    endlessSearches = high == nil ? endlessSearches + 1 : 0
    failure = high?.isFinite == true ? .stalled : .notFinite
    guard trustsObjective, endlessSearches < 2 else { return nil }
    // A long step with sufficient decrease, where φ′ never became flat enough. The decrease must
    // exceed rounding, which alone makes a null step seem to be one.
    let isResolved = low.end.value < start.end.value - start.end.resolution
    return isResolved && decreases(low, from: start) ? low : nil
  }

  /// The zero of the slope as the line through two slopes predicts it, two to ten steps away.
  private func extrapolation(_ last: Trial, _ trial: Trial) -> Double {
    let prediction =
      trial.step - trial.slope * (trial.step - last.step) / (trial.slope - last.slope)
    guard trial.slope > last.slope, prediction.isFinite else { return 10 * trial.step }
    return min(max(prediction, 2 * trial.step), 10 * trial.step)
  }

  private func interpolation(_ low: Trial, _ high: Trial, _ start: Trial) -> Double {
    let width = high.step - low.step
    guard high.isFinite else { return low.step + 0.1 * width }
    if isTooHigh(high, start) {
      // The minimum of the parabola through both values and the lower slope.
      let excess = high.end.value - low.end.value - low.slope * width
      return low.step + min(max(-0.5 * low.slope * width / excess, 0.02), 0.5) * width
    }
    let fraction = -low.slope / (high.slope - low.slope)
    return low.step + min(max(fraction, 1e-3), 1 - 1e-3) * width
  }
}
