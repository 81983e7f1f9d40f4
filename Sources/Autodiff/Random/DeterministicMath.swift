/// Functions that give the same bits on every machine.
///
/// They use only IEEE 754 addition, subtraction, multiplication, division and square root, which are
/// exactly rounded everywhere, in a written order; Swift neither reorders nor fuses them. The system's
/// mathematical library would differ between systems in the last bits.
package enum DeterministicMath {
  /// Natural logarithm of a positive finite number, to about 1 unit in the last place.
  ///
  /// x = 2ᵏ (1 + f) with 1 + f in [√½, √2), s = f / (2 + f), and
  /// log(1 + f) = 2 atanh(s) = f - s (f - R) with R = 2 (s²/3 + s⁴/5 + …), |s| < 0.172.
  package static func log(_ x: Double) -> Double {
    var k = Double(x.exponent)
    var m = x.significand
    if m > 1.4142135623730951 {
      m *= 0.5
      k += 1
    }
    let f = m - 1
    let s = f / (2 + f)
    let z = s * s
    var series = 2.0 / 23
    series = series * z + 2.0 / 21
    series = series * z + 2.0 / 19
    series = series * z + 2.0 / 17
    series = series * z + 2.0 / 15
    series = series * z + 2.0 / 13
    series = series * z + 2.0 / 11
    series = series * z + 2.0 / 9
    series = series * z + 2.0 / 7
    series = series * z + 2.0 / 5
    series = series * z + 2.0 / 3
    let correction = s * (f - z * series)
    // log 2 in two parts, the first with trailing zeros, so that k times it is exact.
    let high = k * 0x1.62e42feep-1
    let low = k * 0x1.a39ef35793c76p-33
    return high - ((correction - low) - f)
  }

  /// The standard normal quantile: x with Φ(x) = p, for 0 < p < 1.
  ///
  /// Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988): relative accuracy 1e-16.
  /// For p near 1 the argument itself limits the accuracy.
  package static func normalQuantile(_ p: Double) -> Double {
    let q = p - 0.5
    if abs(q) <= 0.425 {
      let r = 0.180625 - q * q
      return q * ratio(r, central)
    }
    let r = (-log(q < 0 ? p : 1 - p)).squareRoot()
    let x = r <= 5 ? ratio(r - 1.6, intermediate) : ratio(r - 5, far)
    return q < 0 ? -x : x
  }

  /// A quotient of polynomials, coefficients from the highest power down.
  private typealias Rational = (
    (Double, Double, Double, Double, Double, Double, Double, Double),
    (Double, Double, Double, Double, Double, Double, Double, Double)
  )

  @inline(__always)
  private static func ratio(_ r: Double, _ c: Rational) -> Double {
    let (a, b) = c
    let numerator =
      ((((((a.0 * r + a.1) * r + a.2) * r + a.3) * r + a.4) * r + a.5) * r + a.6) * r + a.7
    let denominator =
      ((((((b.0 * r + b.1) * r + b.2) * r + b.3) * r + b.4) * r + b.5) * r + b.6) * r + b.7
    return numerator / denominator
  }

  private static var central: Rational {
    (
      (
        2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
        4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
        1.3314166789178437745e+2, 3.3871328727963666080e+0
      ),
      (
        5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4,
        2.1213794301586595867e+4, 5.3941960214247511077e+3, 6.8718700749205790830e+2,
        4.2313330701600911252e+1, 1
      )
    )
  }

  private static var intermediate: Rational {
    (
      (
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
        1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
        4.63033784615654529590e+0, 1.42343711074968357734e+0
      ),
      (
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
        1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e+0,
        2.05319162663775882187e+0, 1
      )
    )
  }

  private static var far: Rational {
    (
      (
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
        2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
        5.46378491116411436990e+0, 6.65790464350110377720e+0
      ),
      (
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
        7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
        5.99832206555887937690e-1, 1
      )
    )
  }
}
