/// The derivative of a curve φ: ℝ → ℝⁿ at 0 by finite differences, extrapolated to step zero, with
/// an estimate of its error.
///
/// The curve is meant to be dimensionless: at t = 1 its argument has moved by about its own size.
///
/// Ridders' method (Adv. Eng. Softw. 4, 75, 1982): difference quotients at steps h, h/2, h/4, … form
/// Neville's tableau in h² (in h for one side), and each element takes the entry that changed least
/// from its two parents; that change is the error estimate. It is never taken below what the
/// noise of the values contributes, so that two entries that are equal by chance do not pass for
/// exact (`FunctionNoise` measures it).
///
/// A wide first step makes the rounding error small, but can reach over a kink or out of the domain.
/// Then the tableau is built again from a tenth of the step, up to six times, and at last from one
/// side only.
package struct FiniteDifference: Sendable {
  /// The derivative of each element.
  package var derivative: [Double]
  /// The estimated absolute error of each element; it can be a few times too small.
  package var error: [Double]
  /// Whether the curve was undefined at a step that was tried, so that the steps are shorter, or on
  /// one side only.
  package var isDomainLimited = false

  /// The side of 0 that the curve is evaluated on.
  package enum Side: Sendable {
    case both, left, right
  }

  /// When to stop, and how exact the curve is.
  package struct Goal: Sendable {
    /// Stops where the error is at most this part of the derivative.
    package var relative = 0.0
    /// Stops where the error is at most this, one for each element.
    package var absolute: [Double]
    /// The absolute error of the curve's values, one for each element; never taken below their
    /// rounding.
    package var noise: [Double]

    /// The most accurate result possible for a curve of `count` elements.
    package init(count: Int) {
      absolute = Array(repeating: 0, count: count)
      noise = absolute
    }
  }

  /// The derivative at 0 of a curve.
  ///
  /// - Parameters:
  ///   - curve: The curve; nil where it is undefined or not finite.
  ///   - side: Where it is evaluated; `.both` falls back to one side if the other is undefined.
  ///   - firstStep: The widest step.
  ///   - goal: When to stop.
  /// - Returns: nil if the curve is undefined on every stencil.
  package static func estimate(
    of curve: (Double) -> [Double]?, side: Side = .both, firstStep: Double = 0.05, goal: Goal
  ) -> FiniteDifference? {
    var best: FiniteDifference?
    var isDomainLimited = false
    var step = firstStep
    for _ in 0...6 {
      defer { step /= 10 }
      guard let tableau = Tableau.extrapolated(curve, side, step, goal) else {
        isDomainLimited = true
        continue
      }
      best.improve(with: tableau)
      if best?.cannotImprove(below: step, goal) ?? true { break }
    }
    best?.isDomainLimited = isDomainLimited
    guard best == nil, side == .both else { return best }
    var oneSided =
      estimate(of: curve, side: .right, firstStep: firstStep, goal: goal)
      ?? estimate(of: curve, side: .left, firstStep: firstStep, goal: goal)
    oneSided?.isDomainLimited = true
    return oneSided
  }

  /// Whether every element has reached the goal, or has an error that the noise alone would exceed
  /// at shorter steps.
  private func cannotImprove(below step: Double, _ goal: Goal) -> Bool {
    derivative.indices.allSatisfy { index in
      error[index] <= goal.error(index, derivative[index])
        || error[index] <= goal.noise[index] / (step / 10)
    }
  }
}

extension FiniteDifference.Goal {
  func error(_ index: Int, _ derivative: Double) -> Double {
    Swift.max(relative * derivative.magnitude, absolute[index])
  }
}

extension Optional<FiniteDifference> {
  /// Takes over the elements that the other estimate knows better.
  fileprivate mutating func improve(with other: FiniteDifference) {
    guard var result = self else {
      self = other
      return
    }
    for index in result.error.indices where other.error[index] < result.error[index] {
      result.derivative[index] = other.derivative[index]
      result.error[index] = other.error[index]
    }
    self = result
  }
}

/// Neville's tableau of difference quotients, kept as its last two rows.
private struct Tableau {
  private static let rowCount = 10
  private static let ratio = 2.0

  /// Row k holds the extrapolations from steps up to `firstStep` / 2ᵏ, least extrapolated first.
  private var previous: [[Double]] = []
  private var current: [[Double]] = []
  private var best: FiniteDifference
  private let order: Int

  /// nil where the curve is undefined at one of the points.
  static func extrapolated(
    _ curve: (Double) -> [Double]?, _ side: FiniteDifference.Side, _ firstStep: Double,
    _ goal: FiniteDifference.Goal
  ) -> FiniteDifference? {
    var tableau = Tableau(count: goal.noise.count, order: side == .both ? 2 : 1)
    var step = firstStep
    for row in 0..<rowCount {
      let (ahead, behind): (Double, Double) =
        switch side {
        case .both: (step, -step)
        case .right: (step, 0)
        case .left: (0, -step)
        }
      guard let high = curve(ahead), let low = curve(behind) else { return nil }
      let distance = ahead - behind
      let quotient = zip(high, low).map { ($0 - $1) / distance }
      let rounding = quotient.indices.map { index in
        let magnitude = max(high[index].magnitude, low[index].magnitude)
        let noise = max(goal.noise[index], Double.ulpOfOne * magnitude)
        // The argument is rounded too, which moves the value by the slope times the rounding.
        return (noise + Double.ulpOfOne * quotient[index].magnitude) / step
      }
      tableau.append(quotient, rounding)
      if row >= 2, tableau.isFinished(goal) { break }
      step /= ratio
    }
    return tableau.best
  }

  private init(count: Int, order: Int) {
    best = FiniteDifference(
      derivative: Array(repeating: .nan, count: count),
      error: Array(repeating: .infinity, count: count))
    self.order = order
  }

  private mutating func append(_ quotient: [Double], _ rounding: [Double]) {
    previous = current
    current = [quotient]
    var factor = 1.0
    for column in previous.indices {
      for _ in 0..<order { factor *= Self.ratio }
      let (left, above) = (current[column], previous[column])
      var next = left
      for index in next.indices {
        next[index] += (left[index] - above[index]) / (factor - 1)
        let change = max(
          (next[index] - left[index]).magnitude, (next[index] - above[index]).magnitude)
        let error = max(change, rounding[index])
        if error < best.error[index] {
          best.error[index] = error
          best.derivative[index] = next[index]
        }
      }
      current.append(next)
    }
  }

  /// Whether every element is as exact as wanted, or began to move away from its best entry.
  private func isFinished(_ goal: FiniteDifference.Goal) -> Bool {
    best.derivative.indices.allSatisfy { index in
      if best.error[index] <= goal.error(index, best.derivative[index]) { return true }
      guard let last = current.last?[index], let before = previous.last?[index] else {
        return false
      }
      return (last - before).magnitude >= 2 * best.error[index]
    }
  }
}
