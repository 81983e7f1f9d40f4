import Foundation

/// Turns values of an axis into positions in pixels.
struct SVGScale {
  let domain: ClosedRange<Double>
  private let scale: SVGAxis.Scale
  private let length: Double
  private let isVertical: Bool

  /// Chooses the domain of an axis: the one it states, or the range of the values that it can show
  /// with a little room.
  init(_ axis: SVGAxis, values: [Double], length: Double, isVertical: Bool = false) {
    scale = axis.scale
    (self.length, self.isVertical) = (length, isVertical)
    switch axis.scale {
    case .categories(let names):
      domain = -0.5...(Double(max(1, names.count)) - 0.5)
    case .linear:
      domain = Self.proper(axis.domain) ?? Self.padded(values.filter(Self.isDrawable))
    case .logarithmic:
      let positive = values.filter { Self.isDrawable($0) && $0 > 0 }.map(log10)
      let stated = axis.domain.flatMap { $0.lowerBound > 0 ? Self.proper($0) : nil }
      let exponents = Self.padded(positive)
      domain = stated ?? pow(10, exponents.lowerBound)...pow(10, exponents.upperBound)
    }
  }

  /// The distance from the left, or from the top of a vertical axis; NaN if it has none.
  func position(_ value: Double) -> Double {
    let fraction: Double
    if scale == .logarithmic {
      guard value > 0 else { return .nan }
      fraction = log(value / domain.lowerBound) / log(domain.upperBound / domain.lowerBound)
    } else {
      fraction = (value - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
    }
    // Categories read from the top, numbers grow upwards.
    let growsUpwards = isVertical && !isCategorical
    return length * (growsUpwards ? 1 - fraction : fraction)
  }

  func ticks(count: Int) -> SVGTicks {
    switch scale {
    case .linear: .linear(domain, count: count)
    case .logarithmic: .logarithmic(domain, count: count)
    case .categories(let names): .categories(names)
    }
  }

  private var isCategorical: Bool {
    if case .categories = scale { true } else { false }
  }

  private static func proper(_ domain: ClosedRange<Double>?) -> ClosedRange<Double>? {
    guard let domain, isDrawable(domain.lowerBound), isDrawable(domain.upperBound) else {
      return nil
    }
    // A range too narrow for its numbers has no ticks that differ.
    let largest = max(abs(domain.lowerBound), abs(domain.upperBound))
    return domain.upperBound - domain.lowerBound > largest * 1e-9 ? domain : nil
  }

  /// Whether differences with the value stay finite.
  private static func isDrawable(_ value: Double) -> Bool { abs(value) < 1e300 }

  private static func padded(_ values: [Double]) -> ClosedRange<Double> {
    guard let low = values.min(), let high = values.max() else { return 0...1 }
    let room = (high - low) * 0.05
    let least = max(abs(low), abs(high)) * 1e-9
    if room > least { return (low - room)...(high + room) }
    let width = low == 0 ? 1 : abs(low) * 0.1
    return (low - width)...(high + width)
  }
}

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
