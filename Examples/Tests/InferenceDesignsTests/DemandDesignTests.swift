import Autodiff
import Econometrics
import Foundation
import InferenceDesigns
import Testing

@Suite("The simulated demand for air travel")
struct DemandDesignTests {
  @Test("The structural function by hand")
  func structuralFunctionByHand() {
    // ψ(5) = 2 (0 + 1 + 0.5 − 2) = −1; ψ(0) = 2 (625/600 + e⁻¹⁰⁰ − 2) = −23/12.
    #expect(DemandDesign.sensitivity(time: 5) == -1)
    #expect(abs(DemandDesign.sensitivity(time: 0) + 23.0 / 12) < 1e-14)
    // 100 + (10 + 20) · 3 · (−1) − 40.
    #expect(DemandDesign.demand(price: 20, time: 5, customer: 3) == -30)
  }

  @Test("Shocks have the correlation asked for")
  func shocksHaveTheCorrelationAskedFor() throws {
    var generator = PhiloxGenerator(seed: 4)
    let count = 20_000
    for correlation in [0.0, 0.9] {
      let model = try DemandDesign(correlation: correlation).sample(count: count, using: &generator)
      let time = model.exogenous.first { $0.name == "time" }?.values ?? []
      let customer = model.exogenous.first { $0.name == "customer" }?.values ?? []
      let (price, cost) = (model.endogenous[0].values, model.instruments[0].values)
      var (demandShock, priceShock): ([Double], [Double]) = ([], [])
      for row in 0..<count {
        let sensitivity = DemandDesign.sensitivity(time: time[row])
        priceShock.append(price[row] - 25 - (cost[row] + 3) * sensitivity)
        let expected = DemandDesign.demand(
          price: price[row], time: time[row], customer: customer[row])
        demandShock.append((model.outcome.values[row] - expected) / DemandDesign.demandScale)
      }
      let (u, v) = (Tensor(demandShock), Tensor(priceShock))
      // Five standard errors of a variance and of a correlation.
      let error = 5 / Double(count).squareRoot()
      #expect(abs(u.variance() - 1).scalar < 1.5 * error)
      #expect(abs(v.variance() - 1).scalar < 1.5 * error)
      #expect(abs((u * v).mean() - correlation).scalar < 1.5 * error)
      #expect(abs((u * Tensor(cost)).mean()).scalar < error)
      #expect(Set(customer) == Set((1...7).map(Double.init)))
    }
  }

  @Test("Interventions span the prices seen")
  func interventionsSpanThePricesSeen() {
    var generator = PhiloxGenerator(seed: 4)
    let points = DemandDesign.interventions(
      count: 11, observedPrices: (0...1000).map(Double.init), using: &generator)
    #expect(points.first?.price == 25)
    #expect(points.last?.price == 975)
    #expect(points.allSatisfy { (0..<10).contains($0.time) })
  }
}
