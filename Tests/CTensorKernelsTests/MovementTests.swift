import CTensorKernels
import TestSupport
import Testing

@Suite("Movement of elements") struct MovementTests {
  private func checkCopy<T: Element>(_ zero: T, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<400 {
      let dims = randomDims(using: &generator)
      let order = Array(dims.indices).shuffled(using: &generator)
      // The source is dense in another order of the dimensions, perhaps reversed or broadcast.
      var strides = Array(repeating: 0, count: dims.count)
      var storage = 1, start = 0
      for d in order where Int.random(in: 0..<6, using: &generator) > 0 {
        strides[d] = storage
        storage *= dims[d]
        if Bool.random(using: &generator) && Bool.random(using: &generator) {
          start += strides[d] * max(dims[d] - 1, 0)
          strides[d] = -strides[d]
        }
      }
      // The destination is a window of a larger tensor.
      let margin = Int.random(in: 0...2, using: &generator)
      let outer = Layout(dims: dims.map { $0 + margin }, broadcast: [])
      let source: [T] = randomElements(max(storage, 1), using: &generator)
      let got = filled(max(outer.storage, 1), with: zero) { to in
        source.withUnsafeBufferPointer { source in
          guard let base = source.baseAddress else { return }
          tk_copy(T.type, Int32(dims.count), dims, base + start, strides, to, outer.strides)
        }
      }
      var expected = Array(repeating: zero, count: max(outer.storage, 1))
      for index in indices(of: dims) {
        expected[offset(index, outer.strides)] = source[start + offset(index, strides)]
      }
      #expect(got == expected, "\(dims) \(strides)")
    }
  }

  @Test("Strided copies") func copy() {
    checkCopy(Float(0), seed: 40)
    checkCopy(Double(0), seed: 41)
    checkCopy(Int32(0), seed: 42)
    checkCopy(UInt8(0), seed: 43)
  }

  @Test(
    "Transposes as strided copies",
    arguments: [(1, 1), (16, 16), (17, 33), (100, 3), (3, 100), (128, 256)])
  func transpose(_ rows: Int, _ columns: Int) {
    let x = (0..<rows * columns).map { Double($0) }
    let got = filled(x.count, with: 0.0) {
      tk_copy(TK_FLOAT64, 2, [columns, rows], x, [1, columns], $0, [rows, 1])
    }
    #expect(got == (0..<columns).flatMap { j in (0..<rows).map { x[$0 * columns + j] } })
  }

  private func checkGather<T: Element>(_ zero: T, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<200 {
      let outer = Int.random(in: 0...3, using: &generator)
      let length = Int.random(in: 1...9, using: &generator)
      let inner =
        Int.random(in: 0...2, using: &generator) == 0
        ? 1 : Int.random(in: 0...20, using: &generator)
      let count = Int.random(in: 0...12, using: &generator)
      let picks = (0..<count).map { _ in Int32.random(in: 0..<Int32(length), using: &generator) }
      let source: [T] = randomElements(outer * length * inner, using: &generator)
      let got = filled(outer * count * inner, with: zero) {
        tk_gather(T.type, outer, length, inner, count, picks, source, $0)
      }
      let expected = (0..<outer).flatMap { o in
        picks.flatMap { pick in (0..<inner).map { source[(o * length + Int(pick)) * inner + $0] } }
      }
      #expect(got == expected)
    }
  }

  @Test("Gathered slices") func gather() {
    checkGather(Float(0), seed: 44)
    checkGather(Double(0), seed: 45)
    checkGather(Int32(0), seed: 46)
    checkGather(UInt8(0), seed: 47)
  }

  private func checkScatter<T: Element & Numeric>(_: T.Type, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<200 {
      let outer = Int.random(in: 0...3, using: &generator)
      let length = Int.random(in: 1...5, using: &generator)
      let inner = Bool.random(using: &generator) ? 1 : Int.random(in: 0...40, using: &generator)
      let count = Int.random(in: 0...12, using: &generator)
      let places = (0..<count).map { _ in Int32.random(in: 0..<Int32(length), using: &generator) }
      let source: [T] = randomElements(outer * count * inner, using: &generator)
      let initial: [T] = randomElements(outer * length * inner, using: &generator)
      var expected = initial
      for o in 0..<outer {
        for (i, place) in places.enumerated() {
          for j in 0..<inner {
            expected[(o * length + Int(place)) * inner + j] += source[(o * count + i) * inner + j]
          }
        }
      }
      var got = initial
      #expect(
        tk_scatter_add(T.type, outer, length, inner, count, places, source, &got) == 0)
      #expect(got == expected)
    }
  }

  /// Bit equality: repeated places are added in the order of the indices.
  @Test("Scattered sums") func scatterAdd() {
    checkScatter(Float.self, seed: 48)
    checkScatter(Double.self, seed: 49)
    checkScatter(Int32.self, seed: 50)
  }

  @Test("A sum of integers that does not fit is reported", arguments: [1, 3])
  func scatterOverflow(_ inner: Int) {
    var source = [Int32](repeating: 1, count: 2 * inner)
    source[0] = .max
    var target = [Int32](repeating: 0, count: 2 * inner)
    #expect(tk_scatter_add(TK_INT32, 1, 2, inner, 2, [0, 1], source, &target) == 0)
    #expect(target == source)
    #expect(tk_scatter_add(TK_INT32, 1, 2, inner, 1, [0], source, &target) == 1)
  }
}
