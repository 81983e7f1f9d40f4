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

  /// Ticks at powers of ten, or also at 3 times these where there is room, and at more multiples
  /// on less than a decade.
  static func logarithmic(_ domain: ClosedRange<Double>, count: Int) -> SVGTicks {
    // A margin around extreme values may have left the finite numbers.
    let lower = max(domain.lowerBound, .leastNonzeroMagnitude)
    let upper = max(lower, min(domain.upperBound, .greatestFiniteMagnitude))
    let low = Int(floor(log10(lower)))
    let high = Int(ceil(log10(upper)))
    let decades = max(1, high - low)
    let factors: [Double] =
      upper / lower < 10 ? [1, 1.5, 2, 3, 5, 7] : decades * 2 <= count + 3 ? [1, 3] : [1]
    let stride = factors.count == 1 ? max(1, (decades + count - 1) / max(1, count)) : 1
    var values: [Double] = []
    for exponent in low...high where exponent % stride == 0 {
      for factor in factors {
        let value = factor * pow(10, Double(exponent))
        let isInside =
          value >= domain.lowerBound * 0.999_999 && value <= domain.upperBound * 1.000_001
        if isInside { values.append(value) }
      }
    }
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
