/// A figure of one or several panels in rows, written as SVG.
///
/// The same figure gives the same bytes on every machine, so tests can compare it and version
/// control shows what changed.
public struct SVGFigure: Sendable {
  /// The line above the panels.
  public var title: String

  /// A line of explanation under the title, empty for none.
  public var subtitle: String

  /// The panels, from left to right and from top to bottom.
  public var panels: [SVGPanel]

  /// The largest number of panels in a row.
  public var panelsPerRow: Int

  /// Creates a figure.
  public init(
    title: String, subtitle: String = "", panels: [SVGPanel], panelsPerRow: Int = .max
  ) {
    (self.title, self.subtitle, self.panels) = (title, subtitle, panels)
    self.panelsPerRow = max(1, panelsPerRow)
  }

  /// The text of the SVG file.
  public func svg() -> String {
    let margin = 20.0
    let headerHeight = subtitle.isEmpty ? 50.0 : 72.0
    // The same room for every legend lines the plotting areas up.
    let legendRows = panels.map { SVGPanelLayout.legend($0).count }.max() ?? 0
    let layouts = panels.map { SVGPanelLayout($0, legendRows: legendRows) }
    let perRow = max(1, min(panelsPerRow, layouts.count))
    let rows = stride(from: 0, to: layouts.count, by: perRow).map {
      Array(layouts[$0..<min($0 + perRow, layouts.count)])
    }
    let heights = rows.map { $0.map(\.height).max() ?? 0 }
    let width = rows.map { $0.reduce(margin) { $0 + $1.width + margin } }.max() ?? margin
    let headerWidth =
      margin * 2 + max(SVGText.width(title, size: 19), SVGText.width(subtitle, size: 13))
    let height = headerHeight + heights.reduce(0, +) + margin * Double(max(1, rows.count))
    let total = max(width, headerWidth, 240)

    var canvas = SVGCanvas(width: total, height: height)
    canvas.text(title, x: margin, y: 34, size: 19, weight: "bold")
    if !subtitle.isEmpty {
      canvas.text(subtitle, x: margin, y: 57, size: 13, color: SVGColor.mutedText)
    }
    var y = headerHeight
    for (row, layouts) in rows.enumerated() {
      var x = margin
      for (column, layout) in layouts.enumerated() {
        layout.draw(on: &canvas, x: x, y: y, identifier: row * perRow + column)
        x += layout.width + margin
      }
      y += heights[row] + margin
    }
    return canvas.document(title: title)
  }

  /// Writes the file in one piece.
  public func write(to path: String) throws(OutputError) {
    try atomicWrite(svg(), to: path)
  }
}

/// One set of axes with what is drawn in it.
public struct SVGPanel: Sendable {
  /// The line above the axes, empty for none.
  public var title: String

  /// The horizontal axis.
  public var xAxis: SVGAxis

  /// The vertical axis.
  public var yAxis: SVGAxis

  /// What is drawn, first to last, so that later marks cover earlier ones.
  public var marks: [SVGMark]

  /// The width of the plotting area in pixels.
  public var plotWidth: Double

  /// The height of the plotting area in pixels.
  public var plotHeight: Double

  /// Creates a panel.
  public init(
    title: String = "", xAxis: SVGAxis, yAxis: SVGAxis, marks: [SVGMark],
    plotWidth: Double = 420, plotHeight: Double = 320
  ) {
    (self.title, self.xAxis, self.yAxis, self.marks) = (title, xAxis, yAxis, marks)
    (self.plotWidth, self.plotHeight) = (plotWidth, plotHeight)
  }

  /// A panel of named rows, from the top, each with a mark or several.
  ///
  /// - Parameters:
  ///   - xAxis: The axis of the values.
  ///   - rule: A value to compare with, drawn across all rows, with its name in the legend.
  ///   - marks: The marks of a row at its place on the vertical axis.
  public static func rows(
    _ names: [String], title: String = "", xAxis: SVGAxis, rule: (value: Double?, label: String?),
    plotHeight: Double = 320, marks: (_ row: Int, _ y: Double) -> [SVGMark]
  ) -> SVGPanel {
    let line = rule.value.map {
      SVGMark(.verticalRule($0), label: rule.label, color: SVGColor.gray)
    }
    return SVGPanel(
      title: title, xAxis: xAxis, yAxis: SVGAxis("", scale: .categories(names)),
      marks: [line].compactMap { $0 } + names.indices.flatMap { marks($0, Double($0)) },
      plotHeight: plotHeight)
  }
}

/// An axis of a panel.
public struct SVGAxis: Sendable {
  /// How values become positions.
  public enum Scale: Sendable, Equatable {
    /// Positions proportional to values.
    case linear
    /// Positions proportional to logarithms; values that are not positive are left out.
    case logarithmic
    /// Named positions 0, 1, 2, …, from the left or from the top.
    case categories([String])
  }

  /// The name of the quantity, with its unit.
  public var label: String

  /// How values become positions.
  public var scale: Scale

  /// The range that is shown; nil to show all marks.
  public var domain: ClosedRange<Double>?

  /// Creates an axis.
  public init(_ label: String, scale: Scale = .linear, domain: ClosedRange<Double>? = nil) {
    (self.label, self.scale, self.domain) = (label, scale, domain)
  }
}

/// A point of a panel, in the units of its axes.
public struct SVGPoint: Sendable, Equatable {
  /// The horizontal coordinate.
  public var x: Double

  /// The vertical coordinate.
  public var y: Double

  /// Creates a point.
  public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
}
