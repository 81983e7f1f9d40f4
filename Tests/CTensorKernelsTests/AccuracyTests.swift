import CReferenceMath
import CTensorKernels
import TestSupport
import Testing

/// An elementwise function with the reference it must agree with.
///
/// Arithmetic that IEEE 754 rounds correctly has half an ulp; for the others four are promised.
struct ElementaryFunction: Sendable, CustomTestStringConvertible {
  let name: String
  let op: tk_unary_op
  let reference: reference_function
  let limit: Double

  var testDescription: String { name }

  init(_ name: String, _ op: tk_unary_op, _ reference: reference_function, limit: Double = 4) {
    self.name = name
    self.op = op
    self.reference = reference
    self.limit = limit
  }

  static let all: [ElementaryFunction] = [
    .init("negate", TK_NEGATE, REFERENCE_NEGATE, limit: 0),
    .init("abs", TK_ABS, REFERENCE_ABS, limit: 0),
    .init("sign", TK_SIGN, REFERENCE_SIGN, limit: 0),
    .init("reciprocal", TK_RECIPROCAL, REFERENCE_RECIPROCAL, limit: 0.5),
    .init("square", TK_SQUARE, REFERENCE_SQUARE, limit: 0.5),
    .init("sqrt", TK_SQRT, REFERENCE_SQRT, limit: 0.5),
    .init("rsqrt", TK_RSQRT, REFERENCE_RSQRT),
    .init("exp", TK_EXP, REFERENCE_EXP),
    .init("expm1", TK_EXPM1, REFERENCE_EXPM1),
    .init("log", TK_LOG, REFERENCE_LOG),
    .init("log1p", TK_LOG1P, REFERENCE_LOG1P),
    .init("sin", TK_SIN, REFERENCE_SIN),
    .init("cos", TK_COS, REFERENCE_COS),
    .init("tanh", TK_TANH, REFERENCE_TANH),
    .init("sigmoid", TK_SIGMOID, REFERENCE_SIGMOID),
    .init("softplus", TK_SOFTPLUS, REFERENCE_SOFTPLUS),
    .init("relu", TK_RELU, REFERENCE_RELU, limit: 0),
    .init("gelu", TK_GELU, REFERENCE_GELU),
    .init("silu", TK_SILU, REFERENCE_SILU),
    .init("sech_squared", TK_SECH_SQUARED, REFERENCE_SECH_SQUARED),
    .init("gaussian", TK_GAUSSIAN, REFERENCE_GAUSSIAN),
    .init("normal_density", TK_NORMAL_DENSITY, REFERENCE_NORMAL_DENSITY),
    .init("erf", TK_ERF, REFERENCE_ERF),
    .init("erfc", TK_ERFC, REFERENCE_ERFC),
    .init("normal_cdf", TK_NORMAL_CDF, REFERENCE_NORMAL_CDF),
    .init("floor", TK_FLOOR, REFERENCE_FLOOR, limit: 0),
    .init("ceil", TK_CEIL, REFERENCE_CEIL, limit: 0),
    .init("round", TK_ROUND, REFERENCE_ROUND, limit: 0),
  ]
}

@Suite("Accuracy of elementary functions") struct AccuracyTests {
  @Test("Every operation is listed") func everyOperationIsListed() {
    let listed = ElementaryFunction.all.map(\.op.rawValue).sorted()
    #expect(listed == Array(0...TK_ROUND.rawValue))
  }

  @Test("Elementary functions of float32 are within their ulps", arguments: ElementaryFunction.all)
  func float32(_ function: ElementaryFunction) {
    let x = Self.arguments(Float.self) + Self.bitPatterns(300_000)
    let got = filled(x.count, with: Float.zero) {
      tk_unary(TK_FLOAT32, function.op, x, $0, x.count)
    }
    var worst = 0
    let error = reference_error_f32(function.reference, x, got, x.count, &worst)
    #expect(error <= function.limit, "at \(x[worst]): \(got[worst])")
  }

  @Test(
    "Elementary functions of float64 are within their ulps",
    .enabled(if: reference_is_extended() != 0), arguments: ElementaryFunction.all)
  func float64(_ function: ElementaryFunction) {
    let x = Self.arguments(Double.self) + Self.bitPatterns(300_000)
    let got = filled(x.count, with: Double.zero) {
      tk_unary(TK_FLOAT64, function.op, x, $0, x.count)
    }
    var worst = 0
    let error = reference_error_f64(function.reference, x, got, x.count, &worst)
    #expect(error <= function.limit, "at \(x[worst]): \(got[worst])")
  }

  @Test("Powers of float32 are within their ulps") func powersFloat32() {
    let (x, y) = Self.powers(Float.self)
    let got = filled(x.count, with: Float.zero) {
      _ = tk_binary(TK_FLOAT32, TK_POW, 1, [x.count], x, [1], y, [1], $0)
    }
    var worst = 0
    let error = reference_pow_error_f32(x, y, got, x.count, &worst)
    #expect(error <= 4, "\(x[worst]) to the power \(y[worst]): \(got[worst])")
  }

  @Test("Powers of float64 are within their ulps", .enabled(if: reference_is_extended() != 0))
  func powersFloat64() {
    let (x, y) = Self.powers(Double.self)
    let got = filled(x.count, with: Double.zero) {
      _ = tk_binary(TK_FLOAT64, TK_POW, 1, [x.count], x, [1], y, [1], $0)
    }
    var worst = 0
    let error = reference_pow_error_f64(x, y, got, x.count, &worst)
    #expect(error <= 4, "\(x[worst]) to the power \(y[worst]): \(got[worst])")
  }

  /// An element's value may not depend on its place, so that callers may cut a tensor anywhere.
  @Test("Value does not depend on place", arguments: ElementaryFunction.all)
  func valueDoesNotDependOnPlace(_ function: ElementaryFunction) {
    let x = (0..<40).map { Float($0) * 0.37 - 6 }
    let whole = filled(40, with: Float.zero) { tk_unary(TK_FLOAT32, function.op, x, $0, 40) }
    for (index, value) in x.enumerated() {
      let alone = filled(1, with: Float.zero) { tk_unary(TK_FLOAT32, function.op, [value], $0, 1) }
      #expect(alone[0].bitPattern == whole[index].bitPattern || alone[0].isNaN)
    }
    for count in 0...40 {
      var inPlace = x
      inPlace.withUnsafeMutableBytes {
        tk_unary(TK_FLOAT32, function.op, $0.baseAddress, $0.baseAddress, count)
      }
      let expected = whole[..<count] + x[count...]
      #expect(zip(inPlace, expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) })
    }
  }
}

// MARK: Arguments

extension AccuracyTests {
  /// Random bit patterns cover every magnitude, the subnormal numbers and NaN.
  static func bitPatterns(_ count: Int) -> [Float] {
    var generator = SplitMix64(seed: 1)
    return (0..<count).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())) }
  }

  static func bitPatterns(_ count: Int) -> [Double] {
    var generator = SplitMix64(seed: 2)
    return (0..<count).map { _ in Double(bitPattern: generator.next()) }
  }

  static func specials<T: BinaryFloatingPoint>(_: T.Type) -> [T] {
    let positive: [T] = [
      0, .leastNonzeroMagnitude, .leastNormalMagnitude, .leastNormalMagnitude.nextDown,
      T.ulpOfOne, 0.5, 1, 2, .pi, .greatestFiniteMagnitude, .infinity,
    ]
    return positive + positive.map { -$0 } + [.nan]
  }

  /// Special values, sweeps of the ranges where functions bend, saturate and underflow, and the
  /// neighbourhoods of the points where an argument reduction or a choice of formula changes.
  static func arguments<T: BinaryFloatingPoint>(_: T.Type) -> [T]
  where T.RawSignificand: FixedWidthInteger {
    var generator = SplitMix64(seed: 3)
    var x = specials(T.self)
    for width: T in [1, 8, 40, 110, 760] {
      for _ in 0..<60_000 { x.append(T.random(in: -width...width, using: &generator)) }
    }
    // Near 1, for log; near 0, for expm1, log1p, erf and tanh.
    for _ in 0..<40_000 {
      let small = T(
        sign: .plus, exponent: T.Exponent(-Int.random(in: 1...60, using: &generator)),
        significand: T.random(in: 1..<2, using: &generator))
      x += [1 - small, 1 + small, small, -small, -1 + small]
    }
    // Near multiples of pi/2 and of ln(2)/2, over the range of the vector code and beyond it.
    for _ in 0..<30_000 {
      let n = T(
        Int.random(in: 1...1 << Int.random(in: 1...22, using: &generator), using: &generator))
      for unit: T in [.pi / 2, 0.34657359027997265470861606072908828404] {
        var value = n * unit
        for _ in 0..<Int.random(in: 0...3, using: &generator) { value = value.nextUp }
        x += [value, -value]
      }
    }
    let thresholds: [T] = [
      0.5, 0.6875, 0.7, 1, 4, 6, 12, 16, 22, 30, 40, 87.33654, 88.72284, 103.97208,
      708.39641853226408,
      709.78271289338397, 745.13321910194122, 750, 819_200, 14.3, 38.6, 27.3, 10.1,
    ]
    for threshold in thresholds {
      var below = threshold, above = threshold
      for _ in 0..<300 {
        x += [below, above, -below, -above]
        below = below.nextDown
        above = above.nextUp
      }
    }
    return x
  }

  /// Pairs that exercise every special case of pow, every size of result, and results near 1.
  static func powers<T: BinaryFloatingPoint>(_: T.Type) -> ([T], [T])
  where T.RawSignificand: FixedWidthInteger {
    var generator = SplitMix64(seed: 4)
    var pairs: [(T, T)] = []
    let values = specials(T.self) + [3, -3, 2.5, -2.5, 0.25, 1 + .ulpOfOne, 1 - .ulpOfOne / 2]
    for x in values {
      for y in values { pairs.append((x, y)) }
    }
    for _ in 0..<200_000 {
      let exponent = T.Exponent(Int.random(in: -140...140, using: &generator))
      let x = T(
        sign: .plus, exponent: exponent, significand: T.random(in: 1..<2, using: &generator))
      pairs.append((x, T.random(in: -8...8, using: &generator)))
      pairs.append(
        (T.random(in: 0...2, using: &generator), T.random(in: -60...60, using: &generator)))
      let whole = T(Int.random(in: -9...9, using: &generator))
      pairs.append((T.random(in: -4...4, using: &generator), whole))
      let small = T(
        sign: .plus, exponent: T.Exponent(-Int.random(in: 1...30, using: &generator)),
        significand: 1)
      pairs.append((1 + small, T.random(in: -40...40, using: &generator) / small))
    }
    return (pairs.map(\.0), pairs.map(\.1))
  }
}
