import CTensorKernels
import TestSupport
import Testing

/// Two random broadcast operands and what a naive loop makes of them.
private struct Operands<T: Element> {
  let dims: [Int]
  let count: Int
  let a: [T], b: [T]
  let aLayout: Layout, bLayout: Layout

  init(using generator: inout SplitMix64) {
    dims = randomDims(using: &generator)
    count = dims.reduce(1, *)
    aLayout = Layout(dims: dims, broadcast: randomBroadcast(rank: dims.count, using: &generator))
    bLayout = Layout(dims: dims, broadcast: randomBroadcast(rank: dims.count, using: &generator))
    a = randomElements(max(aLayout.storage, 1), using: &generator)
    b = randomElements(max(bLayout.storage, 1), using: &generator)
  }

  func naive<R>(_ body: (T, T) -> R) -> [R] {
    indices(of: dims).map { body(a[offset($0, aLayout.strides)], b[offset($0, bLayout.strides)]) }
  }

  func binary(_ op: tk_binary_op, initial: T) -> [T] {
    filled(count, with: initial) {
      _ = tk_binary(
        T.type, op, Int32(dims.count), dims, a, aLayout.strides, b, bLayout.strides, $0)
    }
  }

  func compare(_ op: tk_compare_op) -> [UInt8] {
    filled(count, with: 7) {
      tk_compare(
        T.type, op, Int32(dims.count), dims, a, aLayout.strides, b, bLayout.strides, $0)
    }
  }
}

@Suite("Broadcasting") struct BroadcastTests {
  private let rounds = 300

  private func checkArithmetic<T: Element & Numeric & Comparable>(_ type: T.Type, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<rounds {
      let operands = Operands<T>(using: &generator)
      #expect(operands.binary(TK_ADD, initial: 0) == operands.naive(+), "\(operands.dims)")
      #expect(operands.binary(TK_SUBTRACT, initial: 0) == operands.naive(-), "\(operands.dims)")
      #expect(operands.binary(TK_MULTIPLY, initial: 0) == operands.naive(*), "\(operands.dims)")
      #expect(operands.binary(TK_MAXIMUM, initial: 0) == operands.naive(max), "\(operands.dims)")
      #expect(operands.binary(TK_MINIMUM, initial: 0) == operands.naive(min), "\(operands.dims)")
    }
  }

  private func checkDivision<T: Element & FloatingPoint>(_ type: T.Type, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<rounds {
      let operands = Operands<T>(using: &generator)
      #expect(operands.binary(TK_DIVIDE, initial: 0) == operands.naive(/), "\(operands.dims)")
    }
  }

  private func checkComparison<T: Element & Comparable>(_ type: T.Type, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<rounds {
      let operands = Operands<T>(using: &generator)
      func expected(_ body: (T, T) -> Bool) -> [UInt8] { operands.naive { body($0, $1) ? 1 : 0 } }
      #expect(operands.compare(TK_EQUAL) == expected(==))
      #expect(operands.compare(TK_NOT_EQUAL) == expected(!=))
      #expect(operands.compare(TK_LESS) == expected(<))
      #expect(operands.compare(TK_LESS_EQUAL) == expected(<=))
      #expect(operands.compare(TK_GREATER) == expected(>))
      #expect(operands.compare(TK_GREATER_EQUAL) == expected(>=))
    }
  }

  private func checkSelection<T: Element>(_ type: T.Type, zero: T, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<rounds {
      let operands = Operands<T>(using: &generator)
      let dims = operands.dims
      let layout = Layout(
        dims: dims, broadcast: randomBroadcast(rank: dims.count, using: &generator))
      let mask: [UInt8] = randomElements(max(layout.storage, 1), using: &generator)
      let got = filled(operands.count, with: zero) {
        tk_select(
          T.type, Int32(dims.count), dims, mask, layout.strides,
          operands.a, operands.aLayout.strides, operands.b, operands.bLayout.strides, $0)
      }
      let expected = indices(of: dims).map {
        mask[offset($0, layout.strides)] != 0
          ? operands.a[offset($0, operands.aLayout.strides)]
          : operands.b[offset($0, operands.bLayout.strides)]
      }
      #expect(got == expected, "\(dims)")
    }
  }

  @Test("Sums, differences, products and extrema broadcast") func arithmetic() {
    checkArithmetic(Float.self, seed: 10)
    checkArithmetic(Double.self, seed: 11)
    checkArithmetic(Int32.self, seed: 12)
  }

  @Test("Quotients broadcast") func division() {
    checkDivision(Float.self, seed: 13)
    checkDivision(Double.self, seed: 14)
  }

  /// Powers of broadcast operands against powers of the expanded ones.
  @Test("Powers broadcast") func powers() {
    var generator = SplitMix64(seed: 15)
    for _ in 0..<rounds {
      let operands = Operands<Float>(using: &generator)
      let pairs = operands.naive { ($0, $1) }
      let x = pairs.map(\.0), y = pairs.map(\.1)
      let expected = filled(x.count, with: Float.zero) {
        _ = tk_binary(TK_FLOAT32, TK_POW, 1, [x.count], x, [1], y, [1], $0)
      }
      let got = operands.binary(TK_POW, initial: 0)
      #expect(zip(got, expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) })
    }
  }

  @Test("Comparisons broadcast") func comparison() {
    checkComparison(Float.self, seed: 16)
    checkComparison(Double.self, seed: 17)
    checkComparison(Int32.self, seed: 18)
    checkComparison(UInt8.self, seed: 19)
  }

  @Test("A selection keeps values and covariances") func selection() {
    checkSelection(Float.self, zero: 0, seed: 20)
    checkSelection(Double.self, zero: 0, seed: 21)
    checkSelection(Int32.self, zero: 0, seed: 22)
    checkSelection(UInt8.self, zero: 0, seed: 23)
  }

  @Test("Logic of masks broadcasts") func logic() {
    var generator = SplitMix64(seed: 24)
    for _ in 0..<rounds {
      let o = Operands<UInt8>(using: &generator)
      func apply(_ op: tk_logical_op) -> [UInt8] {
        filled(o.count, with: 7) {
          tk_logical(
            op, Int32(o.dims.count), o.dims, o.a, o.aLayout.strides, o.b, o.bLayout.strides, $0)
        }
      }
      #expect(apply(TK_AND) == o.naive(&))
      #expect(apply(TK_OR) == o.naive(|))
      #expect(apply(TK_XOR) == o.naive(^))
      let negated = filled(o.a.count, with: 7) { tk_logical_not(o.a, $0, o.a.count) }
      #expect(negated == o.a.map { 1 - $0 })
    }
  }

  @Test("Comparisons with na n are false") func comparisonsWithNaNAreFalse() {
    let x: [Double] = [.nan, 1, .nan, 0], y: [Double] = [1, .nan, .nan, -0.0]
    func apply(_ op: tk_compare_op) -> [UInt8] {
      filled(4, with: 7) { tk_compare(TK_FLOAT64, op, 1, [4], x, [1], y, [1], $0) }
    }
    #expect(apply(TK_EQUAL) == [0, 0, 0, 1])
    #expect(apply(TK_NOT_EQUAL) == [1, 1, 1, 0])
    #expect(apply(TK_LESS) == [0, 0, 0, 0])
    #expect(apply(TK_GREATER_EQUAL) == [0, 0, 0, 1])
  }

  @Test("Extrema propagate na n") func extremaPropagateNaN() {
    let x: [Float] = [.nan, 1, .nan, 2], y: [Float] = [1, .nan, .nan, 3]
    for op in [TK_MAXIMUM, TK_MINIMUM] {
      let got = filled(4, with: Float.zero) {
        _ = tk_binary(TK_FLOAT32, op, 1, [4], x, [1], y, [1], $0)
      }
      #expect(got[..<3].allSatisfy { $0.isNaN })
      #expect(got[3] == (op == TK_MAXIMUM ? 3 : 2))
    }
  }

  @Test("Integer results that do not fit are reported, wherever they are", arguments: [1, 0])
  func integerOverflow(_ stride: Int) {
    func fits(_ op: tk_binary_op, _ x: Int32, _ y: Int32) -> Bool {
      // The one pair lies in the middle of others that fit.
      let a = [Int32](repeating: 1, count: 20) + [x] + [Int32](repeating: 0, count: 20)
      let b = [Int32](repeating: y, count: 41)
      var out = [Int32](repeating: 0, count: 41)
      let lost = tk_binary(TK_INT32, op, 1, [41], a, [1], b, [stride], &out)
      let exact: Int64 =
        switch op {
        case TK_ADD: Int64(x) + Int64(y)
        case TK_SUBTRACT: Int64(x) - Int64(y)
        default: Int64(x) * Int64(y)
        }
      #expect(out[20] == Int32(truncatingIfNeeded: exact))
      return lost == 0
    }
    #expect(fits(TK_ADD, .max - 5, 5) && !fits(TK_ADD, .max - 5, 6))
    #expect(fits(TK_ADD, .min + 5, -5) && !fits(TK_ADD, .min + 5, -6))
    #expect(fits(TK_SUBTRACT, .min + 5, 5) && !fits(TK_SUBTRACT, .min + 5, 6))
    #expect(fits(TK_MULTIPLY, 46_340, 46_340) && !fits(TK_MULTIPLY, 46_341, 46_341))
    #expect(fits(TK_MULTIPLY, -65_536, 32_768) && !fits(TK_MULTIPLY, 65_536, 32_768))
  }

  @Test("Out may be an operand", arguments: [1, 4, 31, 1000])
  func outMayBeAnOperand(_ count: Int) {
    var generator = SplitMix64(seed: 25)
    let x: [Float] = randomElements(count, using: &generator)
    let y: [Float] = randomElements(count, using: &generator)
    var first = x
    first.withUnsafeMutableBytes {
      _ = tk_binary(
        TK_FLOAT32, TK_SUBTRACT, 1, [count], $0.baseAddress, [1], y, [1], $0.baseAddress)
    }
    #expect(first == zip(x, y).map(-))
    var second = y
    second.withUnsafeMutableBytes {
      _ = tk_binary(
        TK_FLOAT32, TK_SUBTRACT, 1, [count], x, [1], $0.baseAddress, [1], $0.baseAddress)
    }
    #expect(second == zip(x, y).map(-))
  }
}
