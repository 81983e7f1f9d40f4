import Foundation

/// Where an axis has ticks, and what stands there.
struct SVGTicks {
  /// The positions, in the units of the axis.
  var values: [Double]

  /// The texts, one per value.
  var labels: [String]

  /// Ticks at round values: 1, 2 or 5 times a power of ten apart, about `count` of them.
  static func linear(_ domain: ClosedRange<Double>, count: Int) -> SVGTicks {
    let span = domain.upperBound - domain.lowerBound
    let magnitude = max(abs(domain.lowerBound), abs(domain.upperBound))
    guard span.isFinite, span > magnitude * 1e-14 else {
      // Too wide for a difference, or too narrow for round values in between: only the ends.
      let ends = [domain.lowerBound, domain.upperBound]
      return SVGTicks(values: ends, labels: ends.map { scientific($0, step: $0) })
    }
    let rough = span / Double(max(1, count))
    let power = pow(10, floor(log10(rough)))
    let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999_999 } ?? 10 * power
    let first = Int64((domain.lowerBound / step - 1e-9).rounded(.up))
    let last = Int64((domain.upperBound / step + 1e-9).rounded(.down))
    let multiples = first <= last ? Array(first...last) : []
    let values = multiples.map { Double($0) * step }
    let largest = values.map(abs).max() ?? 0
    if largest >= 1e6 || (largest > 0 && largest < 1e-3) {
      return SVGTicks(values: values, labels: values.map { scientific($0, step: step) })
    }
    let decimals = max(0, Int(-floor(log10(step * 1.000_001))))
    let labels = values.map {
      // A minus sign, as wide as a plus, not a hyphen.
      Numbers.fixed($0, decimals: decimals).replacing("-", with: "−")
    }
    return SVGTicks(values: values, labels: labels)
  }

  /// Ticks at powers of ten, with as many round values between them as there is room for.
  static func logarithmic(_ domain: ClosedRange<Double>, count: Int) -> SVGTicks {
    // A margin around extreme values may have left the finite numbers.
    let lower = max(domain.lowerBound, .leastNonzeroMagnitude)
    let upper = max(lower, min(domain.upperBound, .greatestFiniteMagnitude))
    let exponents = Int(floor(log10(lower)))...Int(ceil(log10(upper)))
    let stride = max(1, (max(1, exponents.count - 1) + count - 1) / max(1, count))
    func inside(_ factors: [Double]) -> [Double] {
      exponents.filter { $0 % stride == 0 }
        .flatMap { exponent in factors.map { $0 * pow(10, Double(exponent)) } }
        .filter { $0 >= domain.lowerBound * 0.999_999 && $0 <= domain.upperBound * 1.000_001 }
    }
    let candidates = [[1, 1.5, 2, 3, 5, 7], [1, 2, 3, 5], [1, 3]].map(inside)
    let values = candidates.first { stride == 1 && $0.count <= count } ?? inside([1])
    // On a part of a decade there may be no round value, or one.
    if values.count < 2, upper / lower < 10 { return linear(domain, count: count) }
    let isPlain = (values.first ?? 1) >= 1e-3 && (values.last ?? 1) < 1e5
    let labels = values.map {
      isPlain ? Numbers.short($0) : scientific($0, step: $0)
    }
    return SVGTicks(values: values, labels: labels)
  }

  /// Ticks at 0, 1, 2, … with names.
  static func categories(_ names: [String]) -> SVGTicks {
    SVGTicks(values: names.indices.map(Double.init), labels: names)
  }

  /// `2×10⁶`, with as many digits as tell neighbours `step` apart.
  private static func scientific(_ value: Double, step: Double) -> String {
    if value == 0 { return "0" }
    let exponent = Int(floor(log10(abs(value)) + 1e-12))
    let digits = max(0, exponent - Int(floor(log10(step) + 1e-12)))
    let mantissa = Numbers.fixed(value / pow(10, Double(exponent)), decimals: digits)
    let power = "10" + superscript(exponent)
    return mantissa == "1"
      ? power
      : mantissa == "-1"
        ? "−" + power : "\(mantissa.replacing("-", with: "−"))×\(power)"
  }

  private static func superscript(_ value: Int) -> String {
    let digits: [Character: Character] = [
      "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷",
      "8": "⁸", "9": "⁹",
    ]
    return String(String(value).map { digits[$0] ?? $0 })
  }
}
