import Autodiff
import Orthogonal
import Testing

/// Shares of single units in the root of an affine problem, and scores that are rounding.
@Suite("Leverage") struct LeverageTests {
  private func fit(
    _ treatment: [Double], _ outcome: [Double], groups: [Int]? = nil
  ) throws -> AffineFit {
    // With j the treatment itself the root is least squares.
    let slope = Tensor(treatment).expandingShape(at: 1)
    return try AffineProblem(
      inputs: slope, innerSlope: slope, outcome: Tensor(outcome), groups: groups
    ).fit(
      given: AffineNuisances(
        intercept: .zeros([treatment.count]), slope: slope, outcome: Tensor(outcome)))
  }

  @Test("Of least squares it is the largest leverage")
  func leastSquares() throws {
    let (x, y) = ([1.0, -2, 0.5, 3, 10], [1.0, 2, 3, 1, 2])
    let total = x.reduce(0) { $0 + $1 * $1 }
    let found = try #require(try fit(x, y).largestLeverage)
    #expect(abs(found - 100 / total) < 1e-12)
    let clustered = try #require(try fit(x, y, groups: [0, 0, 1, 1, 0]).largestLeverage)
    #expect(abs(clustered - 105 / total) < 1e-12)
  }

  @Test("Of several coefficients it does not depend on their units")
  func severalCoefficients() throws {
    var generator = PhiloxGenerator(seed: 3)
    let x = Tensor.normal([30, 2], using: &generator)
    let y = Tensor.normal([30], using: &generator)
    func largest(_ slope: Tensor) throws -> Double {
      let fit = try AffineProblem(inputs: x, innerSlope: slope, outcome: y).fit(
        given: AffineNuisances(intercept: .zeros([30]), slope: slope, outcome: y))
      return try #require(fit.largestLeverage)
    }
    let hat = matmul(x, try solve(matmul(x, x, transposeA: true), x.transposed()))
    let expected = (0..<30).map { hat[$0, $0].scalar }.max() ?? 0
    let (plain, scaled) = (try largest(x), try largest(x * Tensor([1, 1e-3])))
    #expect(abs(plain / expected - 1) < 0.05)
    #expect(abs(scaled / expected - 1) < 0.15)
  }

  @Test("A root that explains everything has no variance that rounding would make")
  func exactRoots() throws {
    let x = (0..<50).map { Double(($0 * 37) % 50) / 7 }
    let root = try fit(x, x.map { 0.3 * $0 }).root()
    #expect(abs(root.value.scalars[0] - 0.3) < 1e-14)
    #expect(root.standardErrors.scalars == [0] && root.pValues().scalars[0].isNaN)
    let noisy = try fit(x, x.enumerated().map { 0.3 * $1 + 1e-9 * Double($0 % 2) }).root()
    #expect(noisy.standardErrors.scalars[0] > 0)
  }
}
