#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Tail probabilities and quantiles of the distributions of test statistics.
///
/// Each is accurate relative to itself, however small, because p-values are compared on a
/// logarithmic scale as often as on a linear one.
public enum TestDistributions {
  /// P(χ² > `x`) with `degrees` degrees of freedom.
  public static func chiSquaredUpperTail(_ x: Double, degrees: Double) -> Double {
    guard degrees > 0, !x.isNaN else { return .nan }
    return gammaTails(degrees / 2, max(x, 0) / 2).upper
  }

  /// P(χ² ≤ `x`) with `degrees` degrees of freedom.
  public static func chiSquaredLowerTail(_ x: Double, degrees: Double) -> Double {
    guard degrees > 0, !x.isNaN else { return .nan }
    return gammaTails(degrees / 2, max(x, 0) / 2).lower
  }

  /// P(F > `f`) with `numerator` and `denominator` degrees of freedom.
  public static func fUpperTail(_ f: Double, numerator: Double, denominator: Double) -> Double {
    guard numerator > 0, denominator > 0, !f.isNaN else { return .nan }
    if f <= 0 { return 1 }
    if f == .infinity { return 0 }
    let total = denominator + numerator * f
    return incompleteBeta(
      denominator / 2, numerator / 2, x: denominator / total, y: numerator * f / total)
  }

  /// P(|t| > `t`) with `degrees` degrees of freedom.
  public static func studentTwoSided(_ t: Double, degrees: Double) -> Double {
    fUpperTail(t * t, numerator: 1, denominator: degrees)
  }

  /// The regularised incomplete gamma functions P(a, x) and Q(a, x): the series of P for small x and
  /// the continued fraction of Q (DLMF 8.9.2, by Lentz's method) for large.
  private static func gammaTails(_ a: Double, _ x: Double) -> (lower: Double, upper: Double) {
    if x <= 0 { return (0, 1) }
    if x == .infinity { return (1, 0) }
    // x^a e^(-x) / Γ(a), written around x = a so that large terms do not cancel.
    let excess = (x - a) / a
    let density =
      (a / (2 * .pi)).squareRoot()
      * exp(-a * (excess - logRatio(x / a, excess)) - stirlingCorrection(a))
    if x < a + 1 {
      var term = 1 / a
      var sum = term
      var n = 0.0
      while term > sum * 1e-17 {
        n += 1
        term *= x / (a + n)
        sum += term
      }
      return (density * sum, 1 - density * sum)
    }
    let upper =
      density
      * continuedFraction(x + 1 - a) { n in
        (-n * (n - a), x + 2 * n + 1 - a)
      }
    return (1 - upper, upper)
  }

  /// The regularised incomplete beta function I_x(a, b), where `y` is 1 - x without cancellation: the
  /// even part of the continued fraction DLMF 8.17.22 (DiDonato and Morris 1992, equation 9), whose
  /// terms do not cancel where y is small, on the side where it converges fast.
  private static func incompleteBeta(_ a: Double, _ b: Double, x: Double, y: Double) -> Double {
    if x <= 0 { return 0 }
    if y <= 0 { return 1 }
    if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(b, a, x: y, y: x) }
    // x^a y^b / B(a, b), written around the mode so that large terms do not cancel.
    let exponent =
      a * logRatio((a + b) / a * x, (b * x - a * y) / a)
      + b * logRatio((a + b) / b * y, (a * y - b * x) / b)
      + stirlingCorrection(a + b) - stirlingCorrection(a) - stirlingCorrection(b)
    let density = (a * b / (2 * .pi * (a + b))).squareRoot() * exp(exponent)
    // How far x lies below the mean.
    let distance = a * y - b * x
    return density
      * continuedFraction(a * (distance + 1) / (a + 1)) { n in
        let numerator =
          (a + n - 1) * (a + b + n - 1) * n * (b - n) * x * x
          / ((a + 2 * n - 1) * (a + 2 * n - 1))
        let denominator =
          n + n * (b - n) * x / (a + 2 * n - 1)
          + (a + n) * (distance + 1 + n * (1 + y)) / (a + 2 * n + 1)
        return (numerator, denominator)
      }
  }

  /// The logarithm of `ratio`, from `excess` = `ratio` - 1 where that is known better.
  private static func logRatio(_ ratio: Double, _ excess: Double) -> Double {
    abs(excess) < 0.5 ? log1p(excess) : log(ratio)
  }

  /// 1 / (b₀ + a₁ / (b₁ + a₂ / (b₂ + …))) by the modified method of Lentz (Thompson and Barnett
  /// 1986); `term(n)` is (aₙ, bₙ).
  private static func continuedFraction(
    _ first: Double, term: (Double) -> (Double, Double)
  ) -> Double {
    let tiny = 1e-300
    var d = 1 / (first == 0 ? tiny : first)
    var c = 1 / tiny
    var value = d
    for n in 1...100_000 {
      let (numerator, denominator) = term(Double(n))
      d = numerator * d + denominator
      d = 1 / (d == 0 ? tiny : d)
      c = denominator + numerator / c
      if c == 0 { c = tiny }
      let factor = c * d
      value *= factor
      if abs(factor - 1) < 1e-16 { break }
    }
    return value
  }

  /// ln Γ(a) minus Stirling's (a - ½) ln a - a + ½ ln 2π: the asymptotic series (DLMF 5.11.1) for
  /// a ≥ 12, reached from below by Γ(a + 1) = a Γ(a).
  private static func stirlingCorrection(_ a: Double) -> Double {
    var sum = 0.0
    var a = a
    while a < 12 {
      sum += (a + 0.5) * log1p(1 / a) - 1
      a += 1
    }
    let square = 1 / (a * a)
    let series: [Double] = [
      1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360_360, 1.0 / 156,
    ]
    return sum + series.reversed().reduce(0) { $0 * square + $1 } / a
  }
}
