import ExampleSupport
import Testing

@Suite("Box distribution") struct BoxDistributionTests {
  /// Quantiles as R's type 7 and NumPy's default give them.
  @Test("Quartiles and whiskers") func quartilesAndWhiskers() throws {
    let found = try #require(Distribution([9, 1, 2, 4, .nan, 3, 30]))
    #expect(found.minimum == 1 && found.maximum == 30)
    #expect(found.lowerQuartile == 2.25)
    #expect(found.median == 3.5)
    #expect(found.upperQuartile == 7.75)
    // 1.5 × 5.5 beyond the quartiles: −6 and 16.
    #expect(found.lowerWhisker == 1 && found.upperWhisker == 9)
  }

  @Test("Boxes of few numbers") func fewNumbers() throws {
    #expect(Distribution([]) == nil)
    #expect(Distribution([.nan, .infinity]) == nil)
    let one = try #require(Distribution([2]))
    #expect([one.minimum, one.lowerQuartile, one.median, one.upperWhisker] == [2, 2, 2, 2])
    let two = try #require(Distribution([1, 3]))
    #expect([two.lowerQuartile, two.median, two.upperQuartile] == [1.5, 2, 2.5])
    #expect([two.lowerWhisker, two.upperWhisker] == [1, 3])
  }
}
