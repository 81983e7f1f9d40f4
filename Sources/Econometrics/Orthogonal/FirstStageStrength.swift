import Inference

/// How well the instruments predict one treatment feature, once the exogenous variables are taken out
/// of it linearly, on rows that nothing was fitted on.
public struct FirstStageStrength: Sendable, Codable {
  /// The feature.
  public let name: String
  /// n.
  public let rowCount: Int
  /// The out-of-fold R² of the regression on instruments and exogenous variables.
  public let rSquared: Double
  /// The same without the instruments: above 0 it is what nonlinear functions of the exogenous
  /// variables say.
  public let rSquaredOfExogenous: Double
  /// Whether the exogenous variables are taken out nonlinearly too, so that they identify nothing.
  public let isExogenousTakenOut: Bool

  /// The R² that identifies the effect: what the instruments add where the exogenous variables are
  /// taken out nonlinearly.
  public var identifyingRSquared: Double {
    guard isExogenousTakenOut else { return rSquared }
    return (rSquared - rSquaredOfExogenous) / (1 - rSquaredOfExogenous)
  }

  /// n R² / (1 − R²), an out-of-fold estimate of the concentration parameter from the
  /// R² that identifies; 0 where nothing is predicted.
  public var concentration: Double {
    let share = max(0, identifyingRSquared)
    return share < 1 ? Double(rowCount) * share / (1 - share) : .infinity
  }

  /// Whether `WeakIdentification` withholds statistics that rest on this feature.
  public var isWeak: Bool { WeakIdentification.isWeak(concentration) }

  /// Why it does; nil where it does not.
  var weaknessReason: String? {
    isWeak ? WeakIdentification.reason(name, "n R² / (1 − R²)", concentration) : nil
  }

  /// Whether less than half of what is predicted takes the instruments.
  public var restsOnExogenous: Bool {
    !isExogenousTakenOut && rSquared > 0 && rSquaredOfExogenous > 0.5 * rSquared
  }

  /// What a reader must know before the interval is believed.
  public var warnings: [String] {
    var warnings: [String] = []
    if isWeak {
      warnings.append(
        "Weak first stage: the out-of-fold R² of \(name) that identifies the effect is "
          + "\(Numbers.significant(identifyingRSquared)), n R² / (1 − R²) = \(Numbers.significant(concentration)), below "
          + "\(Numbers.significant(WeakIdentification.limit)). An interval of the estimate ± its error would cover "
          + "less often than it says, so it is withheld.")
    }
    if restsOnExogenous {
      warnings.append(
        "Identification by functional form: of the out-of-fold R² of \(name), \(Numbers.significant(rSquared)), "
          + "nonlinear functions of the exogenous variables alone give "
          + "\(Numbers.significant(rSquaredOfExogenous)). The estimate relies on these variables affecting the "
          + "outcome linearly; 'bilevel-inference estimate --exogenous-form smooth' does not.")
    }
    return warnings
  }
}
