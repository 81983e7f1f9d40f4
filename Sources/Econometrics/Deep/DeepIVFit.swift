import Autodiff
import Bilevel
import Neural

/// Trained networks of a deep regression.
public struct DeepIVFit: Sendable {
  /// How they were trained.
  public let settings: DeepIV
  /// The seed of the initial weights.
  public let seed: UInt64
  /// The model.
  public let model: InstrumentalModel
  /// Two-stage least squares with robust standard errors on the same model.
  public let linear: TwoStageLeastSquares
  /// By outer iteration.
  public let losses: [DeepIV.Losses]
  let data: DeepData
  /// ψ.
  let treatment: MLP
  /// φ.
  let instrument: Sequential
  let head: LinearHead
  /// u.
  let weights: Tensor

  /// The arguments of the structural function in the order of its columns: endogenous variables, then
  /// exogenous ones.
  public var treatments: [Variable] { data.treatments }

  /// The structural function at points given by columns, in the units of the outcome.
  public func structuralFunction(at columns: [[Double]]) -> [Double] {
    data.outcomes(function(data.treatments(columns)))
  }

  /// Mean derivatives of the structural function over the data by each endogenous variable, in units
  /// of outcome per unit of the variable.
  var averageEffects: [Double] {
    let slopes = gradient(at: data.all.treatments) { function($0).mean() }.sum(alongAxis: 0).scalars
    return model.endogenous.indices.map {
      slopes[$0] * data.outcomeScale.scale / data.treatmentScales[$0].scale
    }
  }

  private func function(_ treatments: Tensor) -> Tensor {
    head.predict(treatment(treatments), weights: weights)
  }

  /// Regression of the outcome on the treatments by the same network at points given by columns, as
  /// if nothing were endogenous.
  ///
  /// - Parameter goesOn: Called after each of `total` passes over the data: whether to take another.
  public func uninstrumentedRegression(
    at columns: [[Double]], goesOn: (_ pass: Int, _ total: Int, _ loss: Double) -> Bool
  ) -> [Double] {
    var generator = PhiloxGenerator(seed: seed, stream: 2)
    let (inputs, targets) = (data.all.treatments, data.all.outcomes)
    var network = settings.network(inputs: inputs.shape[1], outputs: 1, &generator)
    var optimizer = settings.optimizer
    // As many passes over the data as make the loss level off.
    let total = max(5, min(200, 200_000 / targets.shape[0]))
    for pass in 1...total {
      var loss = Tensor(0)
      for rows in Batches(count: targets.shape[0], batchSize: 256, shuffledUsing: &generator) {
        let (x, y) = (inputs.gathering(rows, alongAxis: 0), targets.gathering(rows, alongAxis: 0))
        let step = valueWithGradient(at: network) { meanSquaredError($0(x), y) }
        optimizer.update(&network, along: step.gradient)
        loss = step.value
      }
      if !goesOn(pass, total, loss.scalar) { break }
    }
    return data.outcomes(network(data.treatments(columns)))
  }

  /// The function of each of the first three endogenous variables, the others at their means.
  public var lines: [StructuralLine] {
    model.endogenous.prefix(3).enumerated().map { index, variable in
      let grid = StructuralCurve.grid(of: variable.values, count: 80)
      let columns = treatments.enumerated().map { position, other in
        position == index ? grid : grid.map { _ in other.column.mean().scalar }
      }
      return StructuralLine(name: variable.name, points: grid, columns: columns)
    }
  }
}

/// A line along which a structural function is drawn.
public struct StructuralLine: Sendable {
  /// The variable that varies, or which of several lines this is.
  public let name: String
  /// The values on the horizontal axis.
  public let points: [Double]
  /// All treatments at these points, a column for each.
  public let columns: [[Double]]
  /// The true function, where it is known.
  public let truth: [Double]?

  /// A line.
  public init(name: String, points: [Double], columns: [[Double]], truth: [Double]? = nil) {
    (self.name, self.points, self.columns, self.truth) = (name, points, columns, truth)
  }
}
