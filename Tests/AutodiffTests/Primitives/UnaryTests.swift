import Autodiff
import Testing
import TestSupport

/// Derivatives of elementwise functions where a rule written in a rounded value would cancel.
///
/// The numbers are differences at 600 digits (mpmath 1.3).
@Suite("Tails of elementwise functions")
struct UnaryTests {
  typealias Function = ElementwiseUnary.Function
  typealias Case = (function: Function, x: Double, derivatives: [Double])

  static let float64: [Case] = [
    (.tanh, 20, [1.6993417021166356e-17, -3.3986834042332711e-17, 6.7973668084665422e-17]),
    (.tanh, 14, [2.7657600427722565e-12, -5.5315200855368636e-12, 1.1063040171043129e-11]),
    (.tanh, -30, [3.5026043050786081e-26, 7.0052086101572163e-26, 1.4010417220314433e-25]),
    (.tanh, 300, [1.0601586212017243e-260, -2.1203172424034487e-260, 4.2406344848068973e-260]),
    (.tanh, 1e-10, [1.0, -2.0000000000000001e-10, -2.0]),
    (.tanh, 0.3, [0.91513696182662921, -0.53318187820145433, -1.3643061061011236]),
    (.sigmoid, 40, [4.248354255291589e-18, -4.2483542552915889e-18, 4.2483542552915889e-18]),
    (.sigmoid, -40, [4.248354255291589e-18, 4.2483542552915889e-18, 4.2483542552915889e-18]),
    (.sigmoid, 1e-10, [0.25, -1.25e-11, -0.125]),
    (.sigmoid, -700, [9.8596765437597709e-305, 9.8596765437597709e-305, 9.8596765437597709e-305]),
    (.sigmoid, 2.5, [0.070103716545108157, -0.059467835845434068, 0.04061653010448693]),
    (.softplus, 40, [1.0, 4.248354255291589e-18, -4.2483542552915889e-18]),
    (.softplus, -40, [4.248354255291589e-18, 4.248354255291589e-18, 4.2483542552915889e-18]),
    (
      .softplus, -700, [9.8596765437597709e-305, 9.8596765437597709e-305, 9.8596765437597709e-305]
    ),
    (.softplus, 1e-10, [0.500000000025, 0.25, -1.25e-11]),
    (.gelu, -30, [-4.4160316907084944e-195, -1.3233342291209357e-193, -3.9611608105535357e-192]),
    (.gelu, -37, [-7.8382986694185162e-297, -2.8980489559341359e-295, -1.0707093088475021e-293]),
    (.gelu, 10, [1.0, -7.540706654172291e-21, 7.3868146816381626e-20]),
    (.gelu, 1e-10, [0.50000000007978846, 0.79788456080286536, -1.5957691216057308e-10]),
    (.gelu, 30, [1.0, -1.3233342291209357e-193, 3.9611608105535357e-192]),
    (.gelu, -2.5, [-0.037611085908145208, -0.074495277097666284, -0.098596690276323023]),
    (.silu, -40, [-1.6568581595637197e-16, -1.6143746170108038e-16, -1.5718910744578879e-16]),
    (.silu, -700, [-6.8919139040880798e-302, -6.8820542275443201e-302, -6.8721945510005603e-302]),
    (.silu, 40, [1.0000000000000002, -1.6143746170108038e-16, 1.5718910744578879e-16]),
    (.silu, 1e-10, [0.50000000005, 0.5, -5.0000000000000002e-11]),
    (.silu, -3, [-0.088104106015169617, -0.032321404521006171, 0.02388149531006116]),
    (.erf, -26, [2.9470349932662695e-294, 1.5324581964984602e-292, 7.9628885518054603e-291]),
    (.erf, 10, [4.1976562313544169e-44, -8.3953124627088338e-43, 1.6706671800790579e-41]),
    (.erf, 1e-10, [1.1283791670955126, -2.2567583341910252e-10, -2.2567583341910251]),
    (.erf, 3, [1.3925305194674785e-4, -8.3551831168048712e-4, 4.734603766189427e-3]),
    (.erfc, 26, [-2.9470349932662695e-294, 1.5324581964984602e-292, -7.9628885518054603e-291]),
    (.erfc, -10, [-4.1976562313544169e-44, -8.3953124627088338e-43, -1.6706671800790579e-41]),
    (.erfc, 1e-10, [-1.1283791670955126, 2.2567583341910252e-10, 2.2567583341910251]),
    (
      .normalCDF, -37, [2.1200065515246056e-298, 7.8440242406410408e-297, 2.9001689624856605e-295]
    ),
    (.normalCDF, 20, [5.5209483621597632e-88, -1.1041896724319526e-86, 2.2028583965017455e-85]),
    (.normalCDF, 1e-10, [0.39894228040143268, -3.9894228040143269e-11, -0.39894228040143268]),
    (.normalCDF, 8, [5.0522710835368923e-15, -4.0418168668295138e-14, 3.1829307826282421e-13]),
  ]

  static let float32: [Case] = [
    (.tanh, 9, [6.0919917123232292e-8, -1.2183983053522823e-7, 2.4367964622551135e-7]),
    (.tanh, -40, [7.2194055513816607e-35, 1.4438811102763321e-34, 2.8877622205526643e-34]),
    (.tanh, 1e-05, [0.99999999990000001, -1.9999999492090837e-5, -1.9999999992]),
    (.sigmoid, 20, [2.0611536139418493e-9, -2.0611536054451409e-9, 2.061153588451724e-9]),
    (.sigmoid, -80, [1.8048513878454152e-35, 1.8048513878454152e-35, 1.8048513878454152e-35]),
    (.sigmoid, 1e-05, [0.24999999999375, -1.2499999683806773e-6, -0.1249999999875]),
    (.softplus, 20, [0.99999999793884638, 2.0611536139418493e-9, -2.0611536054451409e-9]),
    (.softplus, -80, [1.8048513878454152e-35, 1.8048513878454152e-35, 1.8048513878454152e-35]),
    (.gelu, -12, [-2.5578956616748956e-31, -3.0478649046415457e-30, -3.6059246759139414e-29]),
    (.gelu, 9, [1.0, -8.1210211216184427e-17, 7.123883085166558e-16]),
    (.gelu, 1e-05, [0.5000079788454062, 0.7978845607230769, -1.5957690811735293e-5]),
    (.silu, -80, [-1.425832596397878e-33, -1.4077840825194238e-33, -1.3897355686409697e-33]),
    (.silu, 20, [1.0000000391619187, -3.7100764881019119e-8, 3.5039610952699058e-8]),
    (.erf, -9, [7.4920734282459745e-36, 1.3485732170842754e-34, 2.4124476438952038e-33]),
    (.erf, 5, [1.5670866531017335e-11, -1.5670866531017335e-10, 1.5357449200396989e-9]),
    (.erfc, 9, [-7.4920734282459745e-36, 1.3485732170842754e-34, -2.4124476438952038e-33]),
    (.normalCDF, -12, [2.1463837356630603e-32, 2.5756604827956724e-31, 3.0693287419981763e-30]),
    (.normalCDF, 8, [5.0522710835368923e-15, -4.0418168668295138e-14, 3.1829307826282421e-13]),
  ]

  private func check(_ test: Case, _ type: ScalarType, tolerance: Double) {
    let x = Tensor(test.x, type)
    for (mode, orders) in Self.derivatives(of: test.function) {
      for (order, derivative) in orders.enumerated() {
        let found = derivative(x).scalar
        let expected = test.derivatives[order]
        #expect(
          abs(found / expected - 1) <= tolerance,
          "\(test.function), order \(order + 1), \(mode) at \(test.x): \(found), not \(expected)")
      }
    }
  }

  /// First to third derivatives in reverse mode, in forward mode and mixed.
  private static func derivatives(
    of function: Function
  ) -> [(mode: String, orders: [(Tensor) -> Tensor])] {
    typealias Map = (Tensor) -> Tensor
    let f = { (x: Tensor) in apply(ElementwiseUnary(function), x) }
    let reverse = { (f: @escaping Map) -> Map in { x in gradient(at: x) { f($0) } } }
    let forward = { (f: @escaping Map) -> Map in
      { x in jvp(at: x, along: Tensor.ones(like: x)) { f($0) }.tangent }
    }
    return [
      ("reverse", [reverse(f), reverse(reverse(f)), reverse(reverse(reverse(f)))]),
      ("forward", [forward(f), forward(forward(f)), forward(forward(forward(f)))]),
      ("forward of reverse", [reverse(f), forward(reverse(f)), forward(reverse(reverse(f)))]),
      ("reverse of forward", [forward(f), reverse(forward(f)), reverse(forward(reverse(f)))]),
    ]
  }

  @Test("Three derivatives in the tails and near zero agree with mpmath", arguments: float64)
  func tails(_ test: Case) { check(test, .float64, tolerance: 1e-13) }

  @Test("Three derivatives in single precision agree with mpmath", arguments: float32)
  func singlePrecision(_ test: Case) { check(test, .float32, tolerance: 1e-5) }

  @Test(
    "Where a function is flat all derivatives are finite, at infinity too",
    arguments: [
      .tanh, .sigmoid, .softplus, .gelu, .silu, .erf, .erfc, .normalCDF, .sechSquared, .gaussian,
      .normalDensity,
    ] as [Function], [ScalarType.float32, .float64])
  func infinities(_ function: Function, _ type: ScalarType) {
    let isLinearAbove = [.softplus, .gelu, .silu].contains(function)
    let far = type == .float32 ? [1e4, 1e20, 3e38] : [1e4, 1e155, 1e300]
    for x in far + [.infinity] {
      for signed in [x, -x] {
        for (mode, orders) in Self.derivatives(of: function) {
          for (order, derivative) in orders.enumerated() {
            let found = derivative(Tensor(signed, type)).scalar
            let expected = order == 0 && isLinearAbove && signed > 0 ? 1.0 : 0
            #expect(found == expected, "\(function), order \(order + 1), \(mode) at \(signed)")
          }
        }
      }
    }
  }

  @Test("A NaN stays one in the derivatives", arguments: Function.allCases)
  func notANumber(_ function: Function) {
    guard ![.negate, .sign, .floor, .ceil, .round, .relu].contains(function) else { return }
    let slope = gradient(at: Tensor([.nan, 0.5])) { apply(ElementwiseUnary(function), $0).sum() }
    #expect(slope.scalars[0].isNaN && slope.scalars[1].isFinite)
  }

  @Test("A cotangent far from 1 is not lost on the way to a result that is not")
  func scaledCotangents() {
    // 10⁻²⁰⁰ squared vanishes, and so would 10³⁰⁰ times it.
    let slope = gradient(at: Tensor(1e200)) { 1e300 * reciprocal($0) }
    #expect(isClose(slope.scalar / 1e-100, -1))
    #expect(isClose(gradient(at: Tensor(1.5e308)) { 0.1 * square($0) }.scalar / 3e307, 1))
  }
}
