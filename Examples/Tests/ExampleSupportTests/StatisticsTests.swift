import ExampleSupport
import Testing

@Suite(" statistics") struct StatisticsTests {
  @Test("quantiles are those of R's type 7 and NumPy's default")
  func quantiles() {
    #expect([4.0, 1, 3, 2].quantile(0.25) == 1.75)
    #expect([5, 1, .nan, 3].median == 3)
    #expect([7.0].quantile(1) == 7)
    #expect([Double.infinity, .infinity].median == .infinity)
    #expect([Double]().median == nil)
    #expect([3.0, -1, 2].extent == -1...3)
  }

  @Test("a box has quartiles, and whiskers that reach 1.5 inter-quartile ranges at most")
  func quartilesAndWhiskers() throws {
    let found = try #require(Distribution([9, 1, 2, 4, .nan, 3, 30]))
    #expect(found.minimum == 1 && found.maximum == 30)
    #expect(found.lowerQuartile == 2.25)
    #expect(found.median == 3.5)
    #expect(found.upperQuartile == 7.75)
    // 1.5 × 5.5 beyond the quartiles: −6 and 16.
    #expect(found.lowerWhisker == 1 && found.upperWhisker == 9)
  }

  @Test("a box of one number or two has no whiskers beyond them, and none has no box")
  func fewNumbers() throws {
    #expect(Distribution([]) == nil)
    #expect(Distribution([.nan, .infinity]) == nil)
    let one = try #require(Distribution([2]))
    #expect([one.minimum, one.lowerQuartile, one.median, one.upperWhisker] == [2, 2, 2, 2])
    let two = try #require(Distribution([1, 3]))
    #expect([two.lowerQuartile, two.median, two.upperQuartile] == [1.5, 2, 2.5])
    #expect([two.lowerWhisker, two.upperWhisker] == [1, 3])
  }

  @Test("errors of two coordinates over three replications, by hand")
  func errorTables() {
    let table = ErrorTable([[1, 2], [], [3, 2], [2, -1]])
    // Means 2 and 1, variances 1 and 3, squared norms 5, 13 and 5.
    #expect(abs(table.bias - 5.0.squareRoot()) < 1e-15)
    #expect(table.deviation == 2)
    #expect(abs(table.rootMeanSquare - (23.0 / 3).squareRoot()) < 1e-15)
    let variance = (2 * (8.0 / 3) * (8.0 / 3) + (16.0 / 3) * (16.0 / 3)) / 2
    let error = variance.squareRoot() / 3.0.squareRoot() / (2 * (23.0 / 3).squareRoot())
    #expect(abs(table.rootMeanSquareError - error) < 1e-14)
    #expect(abs(table.biasToDeviation - (2 + 1 / 3.0.squareRoot()) / 2) < 1e-15)
  }

  @Test("coverage counts intervals of 1.96 standard errors, its error whole replications")
  func hitTables() {
    let hits = HitTable(
      errors: [[1.9, 2], [0, -1.95], [-3, 0]], standardErrors: [[1, 1], [1, 1], [1, 1]])
    #expect(abs(hits.mean - 2.0 / 3) < 1e-15)
    #expect(abs(hits.standardError - (1.0 / 36).squareRoot()) < 1e-15)
    #expect(hits.range == 2.0 / 3...2.0 / 3)
  }
}
