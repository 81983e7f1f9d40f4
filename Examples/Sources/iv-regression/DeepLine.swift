import Econometrics
import OrthogonalRegression

/// A line of the plot: where the structural function is drawn.
struct DeepLine {
  /// The variable that varies, or which of several lines this is.
  let name: String
  /// The values on the horizontal axis.
  let points: [Double]
  /// All treatments at these points.
  let columns: [[Double]]
  /// The true function, where it is known.
  let truth: [Double]?

  /// Points to a line.
  private static let resolution = 80

  /// On simulated data the demand of three types of customer over the year, on a file the function
  /// of each of the first endogenous variables.
  static func lines(of problem: DeepProblem, isSimulated: Bool) -> [DeepLine] {
    if isSimulated { return [1.0, 4, 7].map { season($0, problem) } }
    return problem.model.endogenous.prefix(3).indices.map { dependence($0, problem) }
  }

  /// Demand over the year at the median price.
  private static func season(_ customer: Double, _ problem: DeepProblem) -> DeepLine {
    let prices = problem.model.endogenous[0].values.sorted()
    let price = prices[prices.count / 2]
    let times = (0..<resolution).map { 10 * Double($0) / Double(resolution - 1) }
    return DeepLine(
      name: "type \(Int(customer))", points: times,
      columns: [times.map { _ in price }, times, times.map { _ in customer }],
      truth: times.map { DemandDesign.demand(price: price, time: $0, customer: customer) })
  }

  /// One variable over its range, the others at their means.
  private static func dependence(_ index: Int, _ problem: DeepProblem) -> DeepLine {
    let variables = problem.treatments
    let grid = StructuralCurve.grid(of: variables[index].values, count: resolution)
    let columns = variables.enumerated().map { position, variable in
      position == index ? grid : grid.map { _ in Standardizer(variable.values).center }
    }
    return DeepLine(name: variables[index].name, points: grid, columns: columns, truth: nil)
  }
}
