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
    self.length = length
    self.isVertical = isVertical
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
