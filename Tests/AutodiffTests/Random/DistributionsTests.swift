import Autodiff
import TestSupport
import Testing

@Suite("Distributions") struct DistributionsTests {
  let n = 100_000

  @Test("Uniform numbers have their moments") func uniform() {
    var generator = PhiloxGenerator(seed: 1)
    let x: [Double] = filled(n) { generator.fillUniform($0, from: -1, to: 3) }
    #expect(generator.position == UInt64(n))
    #expect(x.allSatisfy { $0 >= -1 && $0 < 3 })
    #expect(kolmogorovSmirnov(x) { ($0 + 1) / 4 } < 1.95)
    var again = PhiloxGenerator(seed: 1)
    let y: [Float] = filled(n) { again.fillUniform($0, from: -1, to: 3) }
    // The same numbers with fewer bits.
    #expect(zip(x, y).allSatisfy { abs($0 - Double($1)) <= 4 * 0x1p-23 })
    #expect(y.allSatisfy { $0 >= -1 && $0 < 3 })
  }

  @Test("Uniform never reaches the upper bound") func uniformNeverReachesTheUpperBound() {
    // Between neighbours every number rounds to one of the two bounds.
    var generator = PhiloxGenerator(seed: 2)
    let x: [Double] = filled(1000) { generator.fillUniform($0, from: 1, to: 1.0.nextUp) }
    #expect(x.allSatisfy { $0 == 1 })
    let y: [Float] = filled(1000) { generator.fillUniform($0, from: 1, to: Float(1).nextUp) }
    #expect(y.allSatisfy { $0 == 1 })
  }

  @Test("Uniform draws are the outputs") func uniformDrawsAreTheOutputs() {
    var generator = PhiloxGenerator(seed: 3)
    generator.skip(ahead: 1)
    var words = generator
    let x: [Double] = filled(7) { generator.fillUniform($0, from: 0, to: 1) }
    for value in x { #expect(value == Double(words.next() >> 11) * 0x1p-53) }
    #expect(words.position == generator.position)
  }

  @Test("Normal numbers have their moments") func normal() {
    var generator = PhiloxGenerator(seed: 4)
    let x: [Double] = filled(n) { generator.fillNormal($0) }
    let error = 1 / Double(n).squareRoot()
    #expect(abs(mean(x)) < 4 * error)
    #expect(abs(standardDeviation(x) - 1) < 4 * error)
    #expect(kolmogorovSmirnov(x, normalDistribution) < 1.95)
    let skewness = mean(x.map { $0 * $0 * $0 })
    let kurtosis = mean(x.map { $0 * $0 * $0 * $0 })
    #expect(abs(skewness) < 4 * 15.0.squareRoot() * error)
    #expect(abs(kurtosis - 3) < 4 * 96.0.squareRoot() * error)
    // Neighbours, which share a block, are uncorrelated.
    #expect(abs(mean(zip(x, x.dropFirst()).map { $0 * $1 })) < 4 * error)
  }

  @Test("Normal numbers have the same bits everywhere") func normalGoldenBits() {
    var generator = PhiloxGenerator(seed: 42, stream: 7)
    let x: [Double] = filled(12) { generator.fillNormal($0) }
    #expect(x.map(\.bitPattern) == GoldenBits.normals)
    var long = PhiloxGenerator(seed: 0x0123_4567_89ab_cdef, stream: 5)
    long.skip(ahead: 3)
    let y: [Double] = filled(100_000) { long.fillNormal($0) }
    #expect(hash(y) == GoldenBits.normalHash)
  }

  @Test("Float normal is the rounded double") func floatNormalIsTheRoundedDouble() {
    var a = PhiloxGenerator(seed: 6)
    var b = a
    let x: [Double] = filled(1001) { a.fillNormal($0, mean: 2, standardDeviation: 0.5) }
    let y: [Float] = filled(1001) { b.fillNormal($0, mean: 2, standardDeviation: 0.5) }
    #expect(x.map { Float($0) } == y)
  }

  @Test("One fill equals two shorter ones") func oneFillEqualsTwoShorterOnes() {
    for start in 0..<2 {
      for cut in [0, 1, 4, 7] {
        var whole = PhiloxGenerator(seed: 8)
        whole.skip(ahead: UInt64(start))
        var parts = whole
        let x: [Double] = filled(9) { whole.fillNormal($0) }
        let a: [Double] = filled(cut) { parts.fillNormal($0) }
        let b: [Double] = filled(9 - cut) { parts.fillNormal($0) }
        #expect(x == a + b)
      }
    }
  }

  @Test("Same bits on any number of threads") func sameBitsOnAnyNumberOfThreads() {
    func draw() -> [[Double]] {
      var generator = PhiloxGenerator(seed: 10)
      generator.skip(ahead: 1)
      let integers: [Int32] = filled(n) { generator.fillIntegers($0, in: 0..<1000) }
      return [
        filled(n) { generator.fillUniform($0, from: 0, to: 1) },
        filled(n) { generator.fillNormal($0) },
        filled(n) { generator.fillTruncatedNormal($0, from: 1, to: 4) },
        integers.map(Double.init),
      ]
    }
    let serial = withThreadCount(1, draw)
    #expect(withThreadCount(2, draw) == serial)
    #expect(withThreadCount(3, draw) == serial)
  }

  @Test("Bad bounds stop the program") func badBoundsStopTheProgram() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      let _: [Double] = filled(1) { generator.fillUniform($0, from: 2, to: 1) }
    }
    let message = errorText(result)
    #expect(message.contains("needs finite bounds in order, not 2.0 and 1.0"))
  }
}
