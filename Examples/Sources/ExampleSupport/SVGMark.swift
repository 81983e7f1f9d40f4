/// Something drawn in a panel, with its name in the legend if it has one.
public struct SVGMark: Sendable {
  /// What a mark shows: its parts, first to last.
  public struct Shape: Sendable {
    let parts: [Part]

    /// The few things of which every mark is drawn, in the units of the axes.
    enum Part: Sendable {
      /// Lines, closed where the last point is the first. A point that is not finite interrupts a single line
      /// and leaves out several; a cap of this half length in pixels stands across both ends.
      case stroke([[SVGPoint]], width: Double, isDashed: Bool = false, cap: SVGPoint? = nil)
      /// The area within a line.
      case fill([SVGPoint])
      /// Dots.
      case dots([SVGPoint], radius: Double)
      /// A line across the panel where one coordinate is that of the point, whose other one is NaN.
      case rule(SVGPoint)
    }

    /// A line through points; a point that is not finite interrupts it.
    public static func line(_ points: [SVGPoint], width: Double, isDashed: Bool) -> Shape {
      Shape(parts: [.stroke([points], width: width, isDashed: isDashed)])
    }

    /// Dots.
    public static func points(_ points: [SVGPoint], radius: Double) -> Shape {
      Shape(parts: [.dots(points, radius: radius)])
    }

    /// The area between two lines over the same x.
    public static func band(lower: [SVGPoint], upper: [SVGPoint]) -> Shape {
      Shape(parts: [.fill(lower + upper.reversed())])
    }

    /// Dots with a horizontal interval each.
    public static func horizontalIntervals(
      _ points: [SVGPoint], ranges: [ClosedRange<Double>]
    ) -> Shape {
      intervals(points, ranges, radius: 5, cap: SVGPoint(0, 5)) { SVGPoint($1, $0.y) }
    }

    /// Dots with a vertical interval each.
    public static func verticalIntervals(
      _ points: [SVGPoint], ranges: [ClosedRange<Double>]
    ) -> Shape {
      intervals(points, ranges, radius: 3.5, cap: SVGPoint(4, 0)) { SVGPoint($0.x, $1) }
    }

    private static func intervals(
      _ points: [SVGPoint], _ ranges: [ClosedRange<Double>], radius: Double, cap: SVGPoint,
      end: (SVGPoint, Double) -> SVGPoint
    ) -> Shape {
      Shape(
        parts: zip(points, ranges).flatMap { point, range -> [Part] in
          let ends = [end(point, range.lowerBound), end(point, range.upperBound)]
          return [.stroke([ends], width: 2, cap: cap), .dots([point], radius: radius)]
        })
    }

    /// A box plot that lies along the horizontal axis: quartiles, median and whiskers, its middle
    /// at one y.
    public static func horizontalBox(
      _ numbers: Distribution, position y: Double, thickness: Double
    ) -> Shape {
      func across(_ x: Double, _ thickness: Double) -> [SVGPoint] {
        [SVGPoint(x, y - thickness / 2), SVGPoint(x, y + thickness / 2)]
      }
      let (low, high) = (numbers.lowerWhisker, numbers.upperWhisker)
      let (lower, upper) = (numbers.lowerQuartile, numbers.upperQuartile)
      let sides = across(lower, thickness) + across(upper, thickness).reversed()
      let outline = sides + [sides[0]]
      let whiskers = [
        [SVGPoint(low, y), SVGPoint(lower, y)], [SVGPoint(upper, y), SVGPoint(high, y)],
        across(low, thickness / 2), across(high, thickness / 2),
      ]
      return Shape(parts: [
        .fill(sides), .stroke([outline] + whiskers, width: 1.4),
        .stroke([across(numbers.median, thickness)], width: 2.8),
      ])
    }

    /// A line across the panel at one x.
    public static func verticalRule(_ x: Double) -> Shape {
      Shape(parts: [.rule(SVGPoint(x, .nan))])
    }

    /// A line across the panel at one y.
    public static func horizontalRule(_ y: Double) -> Shape {
      Shape(parts: [.rule(SVGPoint(.nan, y))])
    }
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
    (self.shape, self.label, self.color, self.opacity) = (shape, label, color, opacity)
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

  /// A value in a panel of rows with an interval around it.
  public static func interval(
    _ value: Double, _ range: ClosedRange<Double>, at y: Double, color: String
  ) -> SVGMark {
    SVGMark(.horizontalIntervals([SVGPoint(value, y)], ranges: [range]), color: color)
  }

  /// Whether it is a dashed line.
  public var isDashed: Bool {
    shape.parts.contains { if case .stroke(_, _, true, _) = $0 { true } else { false } }
  }

  /// The points of everything drawn, by which an axis finds its range.
  var extent: [SVGPoint] {
    shape.parts.flatMap { part in
      switch part {
      case .stroke(let lines, _, _, _): lines.flatMap { $0 }
      case .fill(let points), .dots(let points, _): points
      case .rule(let point): [point]
      }
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

  /// The colour of a series by its number, repeated where there are more.
  public static func series(_ index: Int) -> String { series[index % series.count] }

  static let text = "#222222"
  static let mutedText = "#555555"
  static let grid = "#E4E4E4"
  static let frame = "#999999"
}
