import Autodiff
import Econometrics

/// The simulated demand for air travel of Hartford, Lewis, Leyton-Brown and Taddy, *Deep IV: a
/// flexible approach for counterfactual prediction* (ICML 2017, section 4.1), with the constants of
/// the authors' program.
///
/// Time of year t ~ U(0, 10), customer type s uniform on 1 … 7, fuel cost z ~ N(0, 1) and price
/// shock v ~ N(0, 1) are independent:
///
///     ψ(t)   = 2 ((t − 5)⁴ / 600 + exp(−4 (t − 5)²) + t/10 − 2)
///     price  = 25 + (z + 3) ψ(t) + v
///     demand = 100 + (10 + price) s ψ(t) − 2 price + 158 e,   e = ρ v + √(1 − ρ²) ε, ε ~ N(0, 1)
///
/// Price is endogenous, because its shock moves demand too; the fuel cost is the instrument. 158 is
/// the standard deviation of demand: as in the authors' program, the noise is as large as the signal.
public struct DemandDesign: Sendable {
  /// The standard deviation of demand, in which errors are reported.
  public static let demandScale = 158.0

  /// ρ, the correlation of the shocks to price and demand.
  public let correlation: Double

  /// - Precondition: ρ is in [−1, 1].
  public init(correlation: Double) { self.correlation = correlation }

  /// ψ(t), the sensitivity to the price.
  public static func sensitivity(time: Double) -> Double {
    let shift = time - 5
    return 2 * (shift * shift * shift * shift / 600 + exp(-4 * shift * shift) + time / 10 - 2)
  }

  /// The structural function: expected demand when the price is set.
  public static func demand(price: Double, time: Double, customer: Double) -> Double {
    100 + (10 + price) * customer * sensitivity(time: time) - 2 * price
  }

  /// Observations: demand, price (endogenous), fuel cost (instrument), time and customer type.
  public func sample(
    count: Int, using generator: inout PhiloxGenerator
  ) throws(ModelError) -> InstrumentalModel {
    let (time, customer) = Self.circumstances(count: count, using: &generator)
    let cost = Tensor.normal([count], using: &generator).scalars
    let priceShock = Tensor.normal([count], using: &generator).scalars
    let ownNoise = Tensor.normal([count], using: &generator).scalars
    let price = (0..<count).map {
      25 + (cost[$0] + 3) * Self.sensitivity(time: time[$0]) + priceShock[$0]
    }
    let independent = (1 - correlation * correlation).squareRoot()
    let demand = (0..<count).map { row in
      Self.demand(price: price[row], time: time[row], customer: customer[row])
        + Self.demandScale * (correlation * priceShock[row] + independent * ownNoise[row])
    }
    return try InstrumentalModel(
      outcome: Variable(name: "demand", values: demand),
      endogenous: [Variable(name: "price", values: price)],
      instruments: [Variable(name: "cost", values: cost)],
      exogenous: [
        Variable(name: "time", values: time), Variable(name: "customer", values: customer),
      ], addsConstant: true)
  }

  /// Points at which a fit is judged: prices evenly spaced between the 2.5 and 97.5 % quantiles of
  /// those observed, set independently of time and customer type.
  ///
  /// - Returns: Rows of time, customer and price.
  public static func interventions(
    count: Int, observedPrices: [Double], using generator: inout PhiloxGenerator
  ) -> [(time: Double, customer: Double, price: Double)] {
    let (time, customer) = circumstances(count: count, using: &generator)
    let sorted = observedPrices.sorted()
    func quantile(_ p: Double) -> Double { sorted[Int(p * Double(sorted.count - 1))] }
    let (lowest, highest) = (quantile(0.025), quantile(0.975))
    return (0..<count).map { row in
      let share = count > 1 ? Double(row) / Double(count - 1) : 0
      return (time[row], customer[row], lowest + share * (highest - lowest))
    }
  }

  private static func circumstances(
    count: Int, using generator: inout PhiloxGenerator
  ) -> (time: [Double], customer: [Double]) {
    let time = Tensor.uniform([count], from: 0, to: 10, using: &generator).scalars
    let customer = Tensor.integers([count], in: 1..<8, using: &generator).scalars
    return (time, customer)
  }

  private static func exp(_ x: Double) -> Double { Autodiff.exp(Tensor(x)).scalar }
}
