import Autodiff
import Econometrics

/// The truth of the simulated design at points where the price is set by intervention.
struct DeepEvaluation {
  static let pointCount = 5_000

  /// Rows of time, customer and price.
  let points: [(time: Double, customer: Double, price: Double)]
  let truth: [Double]

  init(_ model: InstrumentalModel, seed: UInt64) {
    var generator = PhiloxGenerator(seed: seed, stream: 3)
    points = DemandDesign.interventions(
      count: Self.pointCount, observedPrices: model.endogenous[0].values, using: &generator)
    truth = points.map {
      DemandDesign.demand(price: $0.price, time: $0.time, customer: $0.customer)
    }
  }

  /// The points as columns in the order of the design's treatments.
  var columns: [[Double]] { [points.map(\.price), points.map(\.time), points.map(\.customer)] }

  /// Errors of all methods.
  func errors(
    deep: [Double], linear: TwoStageLeastSquares, naive: [Double]
  ) -> DeepErrors {
    let named = [
      "price": points.map(\.price), "time": points.map(\.time),
      "customer": points.map(\.customer),
    ]
    let mean = truth.reduce(0, +) / Double(truth.count)
    return DeepErrors(
      points: points.count, deep: error(deep),
      linearTwoStageLeastSquares: error(linear.estimates.predict(named, count: points.count)),
      ordinaryLeastSquares: error(linear.ordinary.predict(named, count: points.count)),
      naiveNetwork: error(naive), constant: error(truth.map { _ in mean }))
  }

  private func error(_ fitted: [Double]) -> Double {
    let scale = DemandDesign.demandScale * DemandDesign.demandScale
    let sum = zip(fitted, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return sum / Double(truth.count) / scale
  }
}
