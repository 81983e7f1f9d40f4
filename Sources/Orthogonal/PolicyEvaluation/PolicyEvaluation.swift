import Autodiff
import Inference
import Solvers

/// The value of a policy, with what it rests on.
public struct PolicyEvaluation: Sendable {
  /// How ω was found.
  public let method: FittedQEvaluation.Method
  /// v = E[Q(s₀, π(s₀))], one coordinate.
  ///
  /// Its interval covers the value of the action value that the method finds on infinite data. That
  /// is the policy's where the features hold the true action value; how far they are from it,
  /// `bellmanError` and `methodDifference` say, the interval does not.
  public let value: Estimate
  /// ω.
  public let coefficients: Estimate
  /// Scores for every ω: gradients of F with tests, bands.
  public let fit: AffineFit
  /// How far Q is from solving the Bellman equation; nil but for the orthogonal method.
  public let bellmanError: BellmanError?
  /// ω less that of LSTD, for the orthogonal method without a ridge.
  ///
  /// The limits agree where the features hold the true action value, so its joint test is one of
  /// that (Hausman 1978).
  public let methodDifference: Estimate?
  /// How uncertain the slope of the score is where the value depends on it, as a share of it; nil but
  /// for the orthogonal method.
  ///
  /// In the direction of a constant the slope is (1 − γ P(no end))², the square of what it is for LSTD.
  /// Where P(no end) is learned from few ends and γ is near 1, chance moves that square by much of its
  /// size, which no standard error sees: in simulations of a table intervals covered 81 % at a share of
  /// 0.18, 86 % at 0.22, 91 % at 0.14 and 93 % at 0.09, where those of LSTD covered 95 %.
  public let slopeUncertainty: Double?
  /// Singular values of the mean slope of the score, from the smallest; relative to the largest, a
  /// small one says that transitions hardly tell some direction of ω.
  public let slopeSingularValues: [Double]

  let setting: FittedQEvaluation
  let transitions: Transitions

  /// The largest singular value of the mean slope over the smallest.
  public var condition: Double {
    (slopeSingularValues.last ?? .nan) / (slopeSingularValues.first ?? .nan)
  }

  /// What a reader must know before the interval is believed.
  public var warnings: [String] {
    guard let slopeUncertainty, !(slopeUncertainty <= Self.uncertaintyLimit) else { return [] }
    return [
      """
      The slope of the score is uncertain by \(number(100 * slopeUncertainty)) % of its size where the \
      value depends on it, more than \(number(100 * Self.uncertaintyLimit)) %: the interval is off \
      centre and covers less often than it says. With a discount near 1 that is so until many \
      transitions have ended. Rely on LSTD where the features suffice, or give more transitions, \
      fewer features or a smaller discount
      """
    ]
  }

  /// Up to here intervals of simulations cover within two points of 95 %.
  private static let uncertaintyLimit = 0.1

  /// The gradient of F at ω, whose joint test is one of stationarity there.
  public func gradient(at outer: Tensor) throws(SolverError) -> Estimate {
    try fit.hypergradient(at: outer)
  }

  /// Whether the features hold the true action value, as far as data tell: the joint test of
  /// `methodDifference`.
  public var specificationTest: Statistic<JointTest>? { methodDifference?.jointTest() }

  /// The value with diagnostics, for a reader without a manual.
  public func summary(level: Double = 0.95) -> String {
    var blocks: [Estimate.SummaryBlock] = [
      (
        "Data",
        [
          (
            "transitions",
            "\(transitions.count)"
              + (transitions.trajectoryCount.map { " in \($0) trajectories" } ?? "")
          ),
          (
            "terminal",
            "\(transitions.count - Int(transitions.continues.sum().scalar))"
          ),
        ]
      ),
      (
        "Action value",
        [
          ("features", "\(coefficients.count): \(setting.features.name)"),
          ("discount", "\(setting.discount)"), ("method", method.title),
        ] + (setting.ridge > 0 ? [("ridge", number(setting.ridge))] : [])
          + (fit.nuisanceErrors.isEmpty
            ? []
            : [
              ("nuisances", setting.nuisances.name),
              ("cross-fitting", "\(setting.crossFitting)"),
            ])
      ),
    ]
    if !fit.nuisanceErrors.isEmpty { blocks.append(("Nuisances, out of fold", nuisanceLines)) }
    blocks.append(("Bellman equation", bellmanLines))
    blocks.append(("What the interval covers", coverageLines))
    return value.summary(title: "Value of the policy", level: level, blocks: blocks)
  }

  private var nuisanceLines: [(label: String, text: String)] {
    let (errors, limit) = (fit.nuisanceErrors, 8)
    let lines = errors.prefix(limit).map { error in
      let isReward = error.name == "inner intercept"
      let name = isReward ? "reward" : "next feature" + error.name.drop { $0 != "[" }
      return (
        label: name,
        text: "error \(number(error.rootMeanSquare)), R² \(number(error.rSquared))"
      )
    }
    return errors.count > limit ? lines + [("…", "and \(errors.count - limit) more")] : lines
  }

  private var bellmanLines: [(label: String, text: String)] {
    var lines = [
      (
        label: "slope",
        text: "condition \(number(condition)), smallest singular value "
          + number(slopeSingularValues.first ?? .nan)
      )
    ]
    if let bellmanError {
      lines.append(("TD error", "\(number(bellmanError.temporalDifference)) (root mean square)"))
      let size = bellmanError.rootMeanSquare
      lines.append(
        (
          "Bellman error",
          size > 0 ? "\(number(size)) (root mean square, debiased)" : "not above noise"
        ))
    }
    switch specificationTest {
    case .value(let test):
      lines.append(
        (
          "hypothesis: features suffice",
          (test.pValue < 0.05 ? "rejected" : "not rejected") + " at 5 %: "
            + "χ²(\(test.degreesOfFreedom)) = \(number(test.statistic)), "
            + "p = \(number(test.pValue)), against LSTD"
        ))
    case .unavailable(let reason):
      lines.append(("hypothesis: features suffice", "not tested: \(reason)"))
    case nil: break
    }
    return lines
  }

  private var coverageLines: [(label: String, text: String)] {
    var lines = [
      (label: "covers", text: "chance in transitions and initial states"),
      (label: "does not", text: "features that cannot express Q; states no transition visits"),
    ]
    switch method {
    case .orthogonal:
      if let slopeUncertainty, !warnings.isEmpty {
        lines.append(
          (
            "nor",
            "chance in the slope of the score, uncertain by \(number(100 * slopeUncertainty)) % of its "
              + "size: the interval is off centre"
          ))
      }
    case .temporalDifference: break
    case .plugIn: lines.append(("nor", "the bias of nuisances, which is of first order here"))
    case .residual: lines.append(("nor", "the bias by the noise of transitions, of any size"))
    }
    return lines
  }
}

extension FittedQEvaluation.Method {
  /// A few words for it.
  public var title: String {
    switch self {
    case .orthogonal: "orthogonal"
    case .plugIn: "plug-in"
    case .residual: "residual gradient"
    case .temporalDifference: "LSTD"
    }
  }
}
