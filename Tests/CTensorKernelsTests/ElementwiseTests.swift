import CTensorKernels
import Testing

@Suite("Elementwise loops") struct ElementwiseTests {
  private func cast<A: Element, B: Element>(_ x: [A], to initial: B) -> [B] {
    filled(x.count, with: initial) { tk_cast(A.type, B.type, x, $0, x.count) }
  }

  @Test("Casts of floats truncate and saturate") func castsOfFloatsTruncateAndSaturate() {
    let x: [Double] = [
      1.9, -1.9, 0.4, 2e9, 3e9, -3e9, .infinity, -.infinity, .nan, 2_147_483_646.5,
    ]
    let expected: [Int32] = [1, -1, 0, 2_000_000_000, .max, .min, .max, .min, 0, 2_147_483_646]
    #expect(cast(x, to: Int32.zero) == expected)
    let single: [Float] = [1.9, -1.9, 3e9, -3e9, .infinity, .nan, 2_147_483_520]
    #expect(cast(single, to: Int32.zero) == [1, -1, .max, .min, .max, 0, 2_147_483_520])
  }

  @Test("Casts to bool ask for nonzero") func castsToBoolAskForNonzero() {
    #expect(cast([0.0, -0.0, 0.1, -3, .nan], to: UInt8.zero) == [0, 0, 1, 1, 1])
    #expect(cast([Float(0), 0.5], to: UInt8.zero) == [0, 1])
    #expect(cast([Int32(0), -4, 256], to: UInt8.zero) == [0, 1, 1])
  }

  @Test("Casts between numbers") func castsBetweenNumbers() {
    let x: [Float] = (0..<100).map { Float($0) * 0.7 - 30 }
    #expect(cast(x, to: Double.zero) == x.map { Double($0) })
    let y: [Double] = x.map { Double($0) * 1.1 } + [1e300, .infinity]
    #expect(cast(y, to: Float.zero) == y.map { Float($0) })
    let n: [Int32] = [0, 1, -1, .max, .min, 16_777_217]
    #expect(cast(n, to: Float.zero) == n.map { Float($0) })
    #expect(cast(n, to: Double.zero) == n.map { Double($0) })
    let mask: [UInt8] = [0, 1, 1, 0]
    #expect(cast(mask, to: Float.zero) == [0, 1, 1, 0])
    #expect(cast(mask, to: Double.zero) == [0, 1, 1, 0])
    #expect(cast(mask, to: Int32.zero) == [0, 1, 1, 0])
    #expect(cast(mask, to: UInt8.zero) == mask)
    #expect(cast(n, to: Int32.zero) == n)
  }

  @Test("Axpy adds multiples", arguments: [0, 1, 5, 64, 1001])
  func axpyAddsMultiples(_ count: Int) {
    let x = (0..<count).map { Float($0 % 13) }
    var y = (0..<count).map { Float($0 % 7) }
    let expected = zip(x, y).map { 0.5 * $0 + $1 }
    tk_axpy(TK_FLOAT32, 0.5, x, &y, count)
    #expect(y == expected)
    let xd = x.map { Double($0) }
    var yd = xd
    tk_axpy(TK_FLOAT64, -3, xd, &yd, count)
    #expect(yd == xd.map { -2 * $0 })
  }

  @Test("Fill sets every element", arguments: [0, 1, 5, 1001])
  func fillSetsEveryElement(_ count: Int) {
    func fill<T: Element>(_ value: Double, over initial: T) -> [T] {
      filled(count, with: initial) { tk_fill(T.type, value, $0, count) }
    }
    #expect(fill(1.5, over: Float(9)) == Array(repeating: 1.5, count: count))
    #expect(fill(1.5, over: 9.0) == Array(repeating: 1.5, count: count))
    #expect(fill(-7, over: Int32(9)) == Array(repeating: -7, count: count))
    #expect(fill(2, over: UInt8(9)) == Array(repeating: 1, count: count))
    #expect(fill(0, over: UInt8(9)) == Array(repeating: 0, count: count))
  }

  @Test("Instruction set is named") func instructionSetIsNamed() {
    let known = ["x86-64-v4", "x86-64-v3", "x86-64", "arm64"]
    #expect(known.contains(String(cString: tk_instruction_set())))
  }
}
