import CTensorKernels
import TestSupport
import Testing

/// [outer, n, inner] and the elements of it.
private struct Cube<T: Element> {
  let outer: Int, n: Int, inner: Int
  let x: [T]

  init(_ outer: Int, _ n: Int, _ inner: Int, using generator: inout SplitMix64) {
    (self.outer, self.n, self.inner) = (outer, n, inner)
    x = randomElements(outer * n * inner, using: &generator)
  }

  init(_ outer: Int, _ n: Int, _ inner: Int, elements: [T]) {
    (self.outer, self.n, self.inner) = (outer, n, inner)
    x = elements
  }

  /// The elements that are reduced into each output, in order.
  var fibres: [[T]] {
    (0..<outer).flatMap { o in
      (0..<inner).map { j in (0..<n).map { x[(o * n + $0) * inner + j] } }
    }
  }

  func reduce(_ op: tk_reduce_op, initial: T) -> [T] {
    filled(outer * inner, with: initial) { tk_reduce(T.type, op, outer, n, inner, x, $0) }
  }

  func positions(_ op: tk_reduce_op) -> [Int32] {
    filled(outer * inner, with: -1) { tk_arg_reduce(T.type, op, outer, n, inner, x, $0) }
  }

  func cumulative(reverse: Bool, initial: T) -> [T] {
    filled(x.count, with: initial) {
      #expect(tk_cumulative_sum(T.type, outer, n, inner, reverse ? 1 : 0, x, $0) == 0)
    }
  }
}

extension Cube where T == Int32 {
  /// The sums, in 64 bits.
  fileprivate var exactSums: [Int64] {
    filled(outer * inner, with: 0) {
      tk_sum_int32(3, [outer, n, inner], x, $0, [inner, 0, 1])
    }
  }
}

/// Sum with the rounding errors carried along (Neumaier 1974).
private func compensatedSum(_ values: some Sequence<Double>) -> Double {
  var sum = 0.0, correction = 0.0
  for value in values {
    let total = sum + value
    correction += abs(sum) >= abs(value) ? (sum - total) + value : (value - total) + sum
    sum = total
  }
  return sum + correction
}

private let shapes: [(Int, Int, Int)] = {
  var generator = SplitMix64(seed: 30)
  let fixed = [
    (1, 1, 1), (1, 4, 1), (3, 15, 1), (3, 16, 1), (2, 17, 1), (5, 511, 1), (5, 512, 1), (1, 513, 1),
    (1, 100_000, 1), (64, 32, 1), (1, 64, 32), (2, 127, 3), (2, 128, 64), (1, 129, 65),
    (1, 5000, 7),
    (3, 1000, 33), (7, 3, 200), (0, 5, 3), (5, 3, 0), (0, 4, 1),
  ]
  return fixed
    + (0..<60).map { _ in
      (
        Int.random(in: 1...4, using: &generator), Int.random(in: 1...300, using: &generator),
        Bool.random(using: &generator) ? 1 : Int.random(in: 2...150, using: &generator)
      )
    }
}()

@Suite("Reductions") struct ReductionTests {
  @Test("Sums are accurate") func sumsAreAccurate() {
    var generator = SplitMix64(seed: 31)
    for (outer, n, inner) in shapes {
      let single = Cube<Float>(outer, n, inner, using: &generator)
      for (got, fibre) in zip(single.reduce(TK_SUM, initial: 0), single.fibres) {
        let exact = compensatedSum(fibre.lazy.map { Double($0) })
        let size = compensatedSum(fibre.lazy.map { abs(Double($0)) })
        #expect(abs(Double(got) - exact) <= 16 * 0x1p-24 * size, "\((outer, n, inner))")
      }
      let double = Cube<Double>(outer, n, inner, using: &generator)
      for (got, fibre) in zip(double.reduce(TK_SUM, initial: 0), double.fibres) {
        let size = compensatedSum(fibre.lazy.map { abs($0) })
        #expect(abs(got - compensatedSum(fibre)) <= 16 * 0x1p-53 * size, "\((outer, n, inner))")
      }
      let integer = Cube<Int32>(outer, n, inner, using: &generator)
      #expect(integer.exactSums == integer.fibres.map { $0.reduce(0) { $0 + Int64($1) } })
    }
  }

  /// A running sum of ten million tenths in single precision would be off by 9 %.
  @Test("Long sums do not drift", arguments: [1, 3])
  func longSumsDoNotDrift(_ inner: Int) {
    let n = 10_000_000 / inner
    let cube = Cube<Float>(1, n, inner, elements: Array(repeating: 0.1, count: n * inner))
    let exact = Double(Float(0.1)) * Double(n)
    for sum in cube.reduce(TK_SUM, initial: 0) {
      #expect(abs(Double(sum) - exact) < 1e-5 * exact)
    }
  }

  /// The bits fixed by the order of additions, on any machine: a hash of sums of random numbers.
  @Test("Sums have the same bits everywhere") func sumsHaveTheSameBitsEverywhere() {
    var generator = SplitMix64(seed: 32)
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func mix(_ bits: UInt64) { hash = (hash ^ bits) &* 0x100_0000_01b3 }
    for (outer, n, inner) in [(3, 5000, 1), (2, 1000, 37), (9, 33, 1), (1, 300, 64), (2, 77, 5)] {
      let bits = (0..<outer * n * inner).map { _ in generator.next() }
      let single = bits.map { Float($0 >> 40) * 0x1p-20 - 8 }
      let double = bits.map { Double($0 >> 11) * 0x1p-50 - 4 }
      let cube = Cube<Float>(outer, n, inner, elements: single)
      let wide = Cube<Double>(outer, n, inner, elements: double)
      cube.reduce(TK_SUM, initial: 0).forEach { mix(UInt64($0.bitPattern)) }
      wide.reduce(TK_SUM, initial: 0).forEach { mix($0.bitPattern) }
      cube.cumulative(reverse: false, initial: 0).forEach { mix(UInt64($0.bitPattern)) }
      // Short ones, where a fused multiply-add would show.
      for start in stride(from: 0, to: 600, by: 60) {
        let some = Array(double[min(start, double.count - 60)...].prefix(60))
        mix(tk_dot(TK_FLOAT64, some, some, 60).bitPattern)
      }
      mix(tk_dot(TK_FLOAT32, single, single, single.count).bitPattern)
      mix(tk_dot(TK_FLOAT64, double, double, double.count).bitPattern)
    }
    #expect(hash == 1_302_800_389_749_181_295)
  }

  @Test("Sums do not depend on how rows are split") func sumsDoNotDependOnHowRowsAreSplit() {
    var generator = SplitMix64(seed: 33)
    for (n, inner) in [(1000, 1), (37, 1), (300, 70)] {
      let whole = Cube<Float>(6, n, inner, using: &generator)
      let parts = (0..<6).flatMap { o in
        Cube<Float>(1, n, inner, elements: Array(whole.x[o * n * inner..<(o + 1) * n * inner]))
          .reduce(TK_SUM, initial: 0)
      }
      #expect(parts == whole.reduce(TK_SUM, initial: 0))
    }
  }

  private func checkExtrema<T: Element & Comparable>(_: T.Type, initial: T, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for (outer, n, inner) in shapes {
      let cube = Cube<T>(outer, n, inner, using: &generator)
      let fibres = cube.fibres
      #expect(cube.reduce(TK_MAX, initial: initial) == fibres.compactMap { $0.max() })
      #expect(cube.reduce(TK_MIN, initial: initial) == fibres.compactMap { $0.min() })
      func position(_ value: T?, in fibre: [T]) -> Int32 {
        Int32(fibre.firstIndex { $0 == value } ?? -1)
      }
      let first = fibres.map { position($0.max(), in: $0) }
      let last = fibres.map { position($0.min(), in: $0) }
      #expect(cube.positions(TK_MAX) == first)
      #expect(cube.positions(TK_MIN) == last)
    }
  }

  @Test("Maxima and minima with their places") func extrema() {
    checkExtrema(Float.self, initial: 0, seed: 34)
    checkExtrema(Double.self, initial: 0, seed: 35)
    checkExtrema(Int32.self, initial: 0, seed: 36)
  }

  @Test("Extrema propagate the first na n", arguments: [1, 3, 70])
  func extremaPropagateTheFirstNaN(_ inner: Int) {
    var generator = SplitMix64(seed: 37)
    for n in [1, 2, 15, 16, 17, 100] {
      for place in Set([0, n / 2, n - 1]) {
        var x: [Float] = randomElements(n * inner, using: &generator)
        x[place * inner] = .nan
        x[(n - 1) * inner] = .nan
        let cube = Cube<Float>(1, n, inner, elements: x)
        for op in [TK_MAX, TK_MIN] {
          #expect(cube.reduce(op, initial: 0)[0].isNaN)
          #expect(cube.positions(op)[0] == Int32(place))
          #expect(cube.reduce(op, initial: 0)[1...].allSatisfy { !$0.isNaN })
        }
      }
    }
  }

  @Test("Empty sums are zero", arguments: [1, 4])
  func emptySumsAreZero(_ inner: Int) {
    let cube = Cube<Double>(3, 0, inner, elements: [])
    #expect(cube.reduce(TK_SUM, initial: 9) == Array(repeating: 0, count: 3 * inner))
    #expect(tk_dot(TK_FLOAT64, [] as [Double], [] as [Double], 0) == 0)
  }

  @Test("Running sums in both directions") func runningSums() {
    var generator = SplitMix64(seed: 38)
    for (outer, n, inner) in shapes where n < 1000 {
      let cube = Cube<Double>(outer, n, inner, using: &generator)
      let integer = Cube<Int32>(outer, n, inner, using: &generator)
      for reverse in [false, true] {
        let got = Cube(outer, n, inner, elements: cube.cumulative(reverse: reverse, initial: 0))
        let sums = Cube(outer, n, inner, elements: integer.cumulative(reverse: reverse, initial: 0))
        func running<T: Numeric>(_ fibre: [T]) -> [T] {
          var sum: T = 0
          let sums = (reverse ? fibre.reversed() : fibre).map { value in
            sum += value
            return sum
          }
          return reverse ? sums.reversed() : sums
        }
        #expect(got.fibres == cube.fibres.map(running))
        #expect(sums.fibres == integer.fibres.map(running))
      }
    }
  }

  @Test("Integers are summed in 64 bits over any dimensions")
  func integerSums() {
    let x = [Int32](repeating: .max, count: 60)
    let over = { (strides: [Int], count: Int) in
      filled(count, with: Int64(0)) { tk_sum_int32(3, [3, 4, 5], x, $0, strides) }
    }
    let largest = Int64(Int32.max)
    #expect(over([0, 0, 0], 1) == [60 * largest])
    #expect(over([0, 1, 0], 4) == [Int64](repeating: 15 * largest, count: 4))
    #expect(over([5, 0, 1], 15) == [Int64](repeating: 4 * largest, count: 15))
    #expect(filled(1, with: 7) { tk_sum_int32(0, [], [5], $0, []) } == [12])
  }

  @Test("A running sum of integers that does not fit is reported", arguments: [1, 3])
  func runningOverflow(_ inner: Int) {
    var x = [Int32](repeating: 1, count: 4 * inner)
    x[inner] = .max - 3
    var out = x
    #expect(tk_cumulative_sum(TK_INT32, 1, 4, inner, 1, x, &out) == 0)
    x[inner] = .max - 2
    #expect(tk_cumulative_sum(TK_INT32, 1, 4, inner, 1, x, &out) == 1)
    #expect(tk_cumulative_sum(TK_INT32, 1, 2, inner, 0, x, &out) == 0)
  }

  @Test("Dot products are accurate", arguments: [0, 1, 7, 16, 100, 511, 512, 513, 5000])
  func dotProducts(_ n: Int) {
    var generator = SplitMix64(seed: 39)
    let x: [Double] = randomElements(n, using: &generator)
    let y: [Double] = randomElements(n, using: &generator)
    let exact = zip(x, y).map { $0 * $1 }
    let size = exact.reduce(0) { $0 + abs($1) }
    #expect(abs(tk_dot(TK_FLOAT64, x, y, n) - compensatedSum(exact)) <= 32 * 0x1p-53 * size)
    let single = x.map { Float($0) }, other = y.map { Float($0) }
    let products = zip(single, other).map { Double($0) * Double($1) }
    let got = tk_dot(TK_FLOAT32, single, other, n)
    #expect(abs(got - compensatedSum(products)) <= 32 * 0x1p-53 * size)
    let i: [Int32] = randomElements(n, using: &generator)
    #expect(tk_dot(TK_INT32, i, i, n) == Double(i.reduce(0) { $0 + $1 * $1 }))
  }
}
