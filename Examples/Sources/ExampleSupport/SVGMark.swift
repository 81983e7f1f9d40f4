/// Something drawn in a panel, with its name in the legend if it has one.
public struct SVGMark: Sendable {
  /// What a mark shows.
  public enum Shape: Sendable {
    /// A line through points; a point that is not finite interrupts it.
    case line([SVGPoint], width: Double, isDashed: Bool)
    /// Dots.
    case points([SVGPoint], radius: Double)
    /// The area between two lines over the same x.
    case band(lower: [SVGPoint], upper: [SVGPoint])
    /// Dots with a horizontal interval each.
    case horizontalIntervals([SVGPoint], ranges: [ClosedRange<Double>])
    /// Dots with a vertical interval each.
    case verticalIntervals([SVGPoint], ranges: [ClosedRange<Double>])
    /// A box plot that lies along the horizontal axis: quartiles, median and whiskers, its middle
    /// at one y.
    case horizontalBox(Distribution, position: Double, thickness: Double)
    /// A line across the panel at one x.
    case verticalRule(Double)
    /// A line across the panel at one y.
    case horizontalRule(Double)
  }

  /// What is drawn.
  public let shape: Shape

  /// The name in the legend, nil to leave the mark out of it.
  public let label: String?

  /// The colour, as SVG writes it.
  public let color: String

  /// The opacity, between 0 and 1.
  public let opacity: Double

  /// Creates a mark.
  public init(_ shape: Shape, label: String? = nil, color: String, opacity: Double = 1) {
    self.shape = shape
    self.label = label
    self.color = color
    self.opacity = opacity
  }

  /// A line.
  public static func line(
    _ points: [SVGPoint], label: String? = nil, color: String, width: Double = 2.2,
    isDashed: Bool = false
  ) -> SVGMark {
    SVGMark(.line(points, width: width, isDashed: isDashed), label: label, color: color)
  }

  /// Dots.
  public static func points(
    _ points: [SVGPoint], label: String? = nil, color: String, radius: Double = 3,
    opacity: Double = 1
  ) -> SVGMark {
    SVGMark(.points(points, radius: radius), label: label, color: color, opacity: opacity)
  }

  /// The area between two lines.
  public static func band(
    lower: [SVGPoint], upper: [SVGPoint], label: String? = nil, color: String,
    opacity: Double = 0.2
  ) -> SVGMark {
    SVGMark(.band(lower: lower, upper: upper), label: label, color: color, opacity: opacity)
  }

  /// A box plot along the horizontal axis, such as one of several on an axis of categories.
  ///
  /// - Parameter thickness: In units of the vertical axis.
  public static func box(
    _ distribution: Distribution, at position: Double, thickness: Double = 0.6,
    label: String? = nil, color: String, opacity: Double = 0.2
  ) -> SVGMark {
    SVGMark(
      .horizontalBox(distribution, position: position, thickness: thickness), label: label,
      color: color, opacity: opacity)
  }

  /// The points at the corners of everything drawn, by which an axis finds its range.
  var extent: [SVGPoint] {
    switch shape {
    case .line(let points, _, _), .points(let points, _): points
    case .band(let lower, let upper): lower + upper
    case .horizontalIntervals(let points, let ranges):
      points
        + zip(points, ranges).flatMap {
          [SVGPoint($1.lowerBound, $0.y), SVGPoint($1.upperBound, $0.y)]
        }
    case .verticalIntervals(let points, let ranges):
      points
        + zip(points, ranges).flatMap {
          [SVGPoint($0.x, $1.lowerBound), SVGPoint($0.x, $1.upperBound)]
        }
    case .horizontalBox(let distribution, let position, let thickness):
      [
        SVGPoint(distribution.lowerWhisker, position - thickness / 2),
        SVGPoint(distribution.upperWhisker, position + thickness / 2),
      ]
    case .verticalRule(let x): [SVGPoint(x, .nan)]
    case .horizontalRule(let y): [SVGPoint(.nan, y)]
    }
  }
}

/// The colours of plots: Okabe and Ito's, which colour-blind readers tell apart.
public enum SVGColor {
  /// Blue.
  public static let blue = "#0072B2"
  /// Orange-red.
  public static let vermilion = "#D55E00"
  /// Green.
  public static let green = "#009E73"
  /// Orange.
  public static let orange = "#E69F00"
  /// Pink.
  public static let purple = "#CC79A7"
  /// Light blue.
  public static let sky = "#56B4E9"
  /// Black.
  public static let black = "#000000"
  /// A neutral grey for reference lines.
  public static let gray = "#6B6B6B"

  /// Colours for a number of series, in the order in which they are best told apart.
  public static let series = [blue, vermilion, green, orange, purple, sky]

  static let text = "#222222"
  static let mutedText = "#555555"
  static let grid = "#E4E4E4"
  static let frame = "#999999"
}
