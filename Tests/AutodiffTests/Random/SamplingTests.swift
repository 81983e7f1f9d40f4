import Autodiff
import Testing

@Suite("Sampling") struct SamplingTests {
  @Test("Integers are uniform in their range") func integers() {
    var generator = PhiloxGenerator(seed: 1)
    let n = 60_000
    for range in [Int32(0)..<6, -5..<12, 7..<8] {
      let before = generator.position
      let x: [Int32] = filled(n) { generator.fillIntegers($0, in: range) }
      #expect(generator.position == before + UInt64(n))
      #expect(x.allSatisfy(range.contains))
      if range.count == 1 { continue }
      var counts = [Int](repeating: 0, count: range.count)
      for value in x { counts[Int(value - range.lowerBound)] += 1 }
      #expect(abs(chiSquare(counts)) < 4)
    }
    let wide: [Int32] = filled(n) { generator.fillIntegers($0, in: .min ..< .max) }
    #expect(abs(mean(wide.map(Double.init))) < 4 * 0x1p32 / (12.0 * Double(n)).squareRoot())
  }

  @Test("Permutations are uniform") func permutation() {
    for n in [0, 1, 2, 100, 1000] {
      var generator = PhiloxGenerator(seed: 2)
      let x: [Int32] = filled(n) { generator.fillPermutation($0) }
      #expect(x.sorted() == (0..<Int32(n)).map { $0 })
      #expect(generator.position == UInt64(n))
    }
    // All 24 orders of 4 are equally frequent.
    var generator = PhiloxGenerator(seed: 3)
    var counts: [[Int32]: Int] = [:]
    for _ in 0..<24_000 {
      counts[filled(4) { generator.fillPermutation($0) }, default: 0] += 1
    }
    #expect(counts.count == 24)
    #expect(abs(chiSquare(Array(counts.values))) < 4)
  }

  @Test("Choice without replacement") func choiceWithoutReplacement() {
    for (k, n) in [(0, 5), (3, 5), (5, 5), (10, 1_000_000), (1000, 10_000)] {
      var generator = PhiloxGenerator(seed: 4)
      let x: [Int32] = filled(k) { generator.fillChoice($0, from: n) }
      #expect(Set(x).count == k)
      #expect(x.allSatisfy { $0 >= 0 && $0 < Int32(n) })
      #expect(generator.position == UInt64(k))
    }
    // Sparse and dense tables give the same numbers: the first of a longer choice are the shorter.
    var a = PhiloxGenerator(seed: 5)
    var b = a
    let few: [Int32] = filled(20) { a.fillChoice($0, from: 1000) }
    let many: [Int32] = filled(500) { b.fillChoice($0, from: 1000) }
    #expect(few == Array(many.prefix(20)))
    // Every ordered pair from 5 is equally frequent.
    var generator = PhiloxGenerator(seed: 6)
    var counts = [Int](repeating: 0, count: 25)
    for _ in 0..<20_000 {
      let pair: [Int32] = filled(2) { generator.fillChoice($0, from: 5) }
      counts[Int(pair[0] * 5 + pair[1])] += 1
    }
    #expect((0..<5).allSatisfy { counts[6 * $0] == 0 })
    #expect(abs(chiSquare(counts.filter { $0 > 0 })) < 4)
  }

  @Test("Weighted indices") func weightedIndices() {
    let weights = [0.0, 1, 0, 2.5, 0.5, 0]
    var generator = PhiloxGenerator(seed: 7)
    let x: [Int32] = filled(40_000) { buffer in
      weights.withUnsafeBufferPointer { generator.fillWeightedIndices(buffer, weights: $0) }
    }
    #expect(generator.position == 40_000)
    var counts = [Int](repeating: 0, count: 6)
    for value in x { counts[Int(value)] += 1 }
    #expect(counts[0] == 0 && counts[2] == 0 && counts[5] == 0)
    let positive = [counts[1], counts[3], counts[4]]
    #expect(abs(chiSquare(positive, probabilities: [0.25, 0.625, 0.125])) < 4)
  }

  @Test("Weighted choice") func weightedChoice() {
    let weights = [1.0, 0, 2, 3]
    var generator = PhiloxGenerator(seed: 8)
    var counts = [Int](repeating: 0, count: 16)
    for _ in 0..<20_000 {
      let pair: [Int32] = filled(2) { buffer in
        weights.withUnsafeBufferPointer { generator.fillWeightedChoice(buffer, weights: $0) }
      }
      counts[Int(pair[0] * 4 + pair[1])] += 1
    }
    #expect(generator.position == 80_000)
    // P(first i, then j) = wᵢ / 6 · wⱼ / (6 - wᵢ).
    var seen: [Int] = []
    var probabilities: [Double] = []
    for i in 0..<4 {
      for j in 0..<4 where i != j && weights[i] * weights[j] > 0 {
        seen.append(counts[4 * i + j])
        probabilities.append(weights[i] / 6 * weights[j] / (6 - weights[i]))
      }
    }
    #expect(seen.reduce(0, +) == 20_000)
    #expect(abs(chiSquare(seen, probabilities: probabilities)) < 4)
  }
}
