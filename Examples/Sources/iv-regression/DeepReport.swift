import Econometrics

/// What `deep` writes with `--json`.
struct DeepReport: Encodable {
  let data: String
  let outcome: String
  let endogenous: [String]
  let instruments: [String]
  let exogenous: [String]
  let seed: UInt64
  let n: Int
  let droppedRows: Int
  let settings: DeepSettings
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra: String
  /// Loss of the inner problem at the last inner step of each outer iteration.
  let innerLosses: [Double]
  /// Loss of the outer problem at each outer iteration.
  let outerLosses: [Double]
  /// The mean derivative of the structural function by endogenous variable, and what 2SLS and
  /// ordinary least squares say instead.
  let averageEffects: [String: AverageEffect]
  /// Intervals of the head refitted on rows that features were not learned on.
  let intervals: DeepIntervals
  /// What a reader must know before a number is believed.
  let warnings: [String]
  /// On simulated data, errors against the true structural function.
  let outOfSample: DeepErrors?
}

extension DeepReport {
  /// Whether training was stopped before its end.
  var isInterrupted: Bool { outerLosses.count < settings.iterations }
}

/// The change of the outcome per unit of a variable.
struct AverageEffect: Encodable {
  /// Of the trained function, which has no standard error.
  let deep: Double
  let twoStageLeastSquares: Double?
  /// Null where there is none that means anything.
  let twoStageLeastSquaresStandardError: Double?
  let ordinaryLeastSquares: Double?
}

/// Mean squared errors against the true structural function at intervention points, in units of
/// the squared standard deviation of demand.
struct DeepErrors: Encodable {
  let points: Int
  let deep: Double
  let linearTwoStageLeastSquares: Double
  let ordinaryLeastSquares: Double
  let naiveNetwork: Double
  /// Of the best constant, the variance of the truth.
  let constant: Double
}

extension LinearFit {
  /// The fitted values at columns in the order of `names` without the constant.
  func predict(_ columns: [String: [Double]], count: Int) -> [Double] {
    (0..<count).map { row in
      zip(names, parameters).reduce(0) { sum, term in
        let (name, parameter) = term
        return sum
          + parameter * (name == InstrumentalModel.constantName ? 1 : columns[name]?[row] ?? 0)
      }
    }
  }
}
