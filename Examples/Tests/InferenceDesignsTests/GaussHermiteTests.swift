import Autodiff
import InferenceDesigns
import Testing

@Suite("Gauss–Hermite quadrature") struct GaussHermiteTests {
  /// E Z^2k = (2k − 1)!!.
  @Test("Moments are exact below twice the number of nodes", arguments: [2, 5, 10, 40])
  func momentsAreExactBelowTwiceTheNumberOfNodes(count: Int) {
    let rule = GaussHermite(count)
    var moment = 1.0
    for k in 0..<min(count, 12) {
      if k > 0 { moment *= Double(2 * k - 1) }
      let found = (rule.weights * pow(rule.nodes, Double(2 * k))).sum().scalar
      #expect(abs(found / moment - 1) < 1e-12, "E Z^\(2 * k)")
    }
  }

  @Test("Many nodes integrate smooth functions", arguments: [60, 120, 200])
  func manyNodesIntegrateSmoothFunctions(count: Int) {
    let rule = GaussHermite(count)
    let mean = (rule.weights * cos(3 * rule.nodes)).sum().scalar
    #expect(abs(mean - exp(Tensor(-4.5)).scalar) < 1e-14)
    let isSorted = zip(rule.nodes.scalars, rule.nodes.scalars.dropFirst()).allSatisfy { $0 < $1 }
    #expect(isSorted)
  }

  @Test("Grids are products") func gridsAreProducts() {
    let (points, weights) = GaussHermite(6).grid(dimension: 3)
    #expect(points.shape == [216, 3])
    let mixed = square(points[0..., 0]) * pow(points[0..., 1], 4.0) * (1 + points[0..., 2])
    let moment = (weights * mixed).sum().scalar
    #expect(abs(moment - 3) < 1e-12)
    // The last coordinate is the fastest.
    #expect(points[0, 2].scalar != points[1, 2].scalar)
    #expect(points[0, 0].scalar == points[1, 0].scalar)
  }
}
