/// The measures of a panel, and its drawing.
struct SVGPanelLayout {
  let width: Double
  let height: Double

  private let panel: SVGPanel
  private let xScale: SVGScale
  private let yScale: SVGScale
  private let xTicks: SVGTicks
  private let yTicks: SVGTicks
  private let left: Double
  private let top: Double

  private static let labelSize = 13.0
  private static let legendLine = 20.0

  init(_ panel: SVGPanel, legendRows: Int) {
    self.panel = panel
    let extent = panel.marks.flatMap(\.extent)
    xScale = SVGScale(panel.xAxis, values: extent.map(\.x), length: panel.plotWidth)
    yScale = SVGScale(
      panel.yAxis, values: extent.map(\.y), length: panel.plotHeight, isVertical: true)
    xTicks = xScale.ticks(count: Int(panel.plotWidth / 75))
    yTicks = yScale.ticks(count: Int(panel.plotHeight / 50))
    let widths = yTicks.labels.map { SVGText.width($0, size: Self.labelSize) }
    left = (panel.yAxis.label.isEmpty ? 6 : 30) + (widths.max() ?? 0) + 10
    top = (panel.title.isEmpty ? 8 : 32) + Double(legendRows) * Self.legendLine
    // The last label under the axis may reach beyond it.
    let overhang = (xTicks.labels.last.map { SVGText.width($0, size: Self.labelSize) } ?? 0) / 2
    let titleWidth = SVGText.width(panel.title, size: 15)
    width = left + max(panel.plotWidth + max(14, overhang + 4), titleWidth)
    height = top + panel.plotHeight + 54
  }

  func draw(on canvas: inout SVGCanvas, x: Double, y: Double, identifier: Int) {
    let box = SVGBox(
      x: x + left, y: y + top, width: panel.plotWidth, height: panel.plotHeight)
    if !panel.title.isEmpty {
      canvas.text(panel.title, x: box.x, y: y + 18, size: 15, weight: "bold")
    }
    for (row, marks) in Self.legend(panel).enumerated() {
      var position = x + left
      let middle = y + (panel.title.isEmpty ? 0 : 26) + Double(row) * Self.legendLine + 9
      for mark in marks {
        mark.drawKey(on: &canvas, x: position, y: middle)
        canvas.text(mark.label ?? "", x: position + 30, y: middle + 4.5, size: Self.labelSize)
        position += Self.keyWidth(mark)
      }
    }
    drawAxes(on: &canvas, box, outerLeft: x)
    if panel.marks.isEmpty {
      canvas.text(
        "no data", x: box.x + box.width / 2, y: box.y + box.height / 2, size: 14,
        anchor: "middle", color: SVGColor.mutedText)
    }
    canvas.clipped(to: box, identifier: "panel\(identifier)") { canvas in
      for mark in panel.marks {
        mark.draw(on: &canvas, box) {
          SVGPoint(box.x + xScale.position($0.x), box.y + yScale.position($0.y))
        }
      }
    }
    canvas.element("rect", box.attributes + [("fill", "none"), ("stroke", SVGColor.frame)])
  }

  private func drawAxes(on canvas: inout SVGCanvas, _ box: SVGBox, outerLeft: Double) {
    let grid = [("stroke", SVGColor.grid), ("fill", "none")]
    for (value, label) in zip(xTicks.values, xTicks.labels) {
      let x = box.x + xScale.position(value)
      canvas.path("M\(number(x)) \(number(box.y))V\(number(box.bottom))", grid)
      canvas.text(label, x: x, y: box.bottom + 19, size: Self.labelSize, anchor: "middle")
    }
    for (value, label) in zip(yTicks.values, yTicks.labels) {
      let y = box.y + yScale.position(value)
      canvas.path("M\(number(box.x)) \(number(y))H\(number(box.right))", grid)
      canvas.text(label, x: box.x - 8, y: y + 4.5, size: Self.labelSize, anchor: "end")
    }
    canvas.text(
      panel.xAxis.label, x: box.x + box.width / 2, y: box.bottom + 43, size: 14, anchor: "middle")
    canvas.text(
      panel.yAxis.label, x: outerLeft + 16, y: box.y + box.height / 2, size: 14,
      anchor: "middle", rotation: -90)
  }

  /// The legend above the axes, where it covers no data, in as many rows as it needs.
  static func legend(_ panel: SVGPanel) -> [[SVGMark]] {
    var rows: [[SVGMark]] = []
    var used = Double.infinity
    for mark in panel.marks where mark.label != nil {
      if used + keyWidth(mark) > panel.plotWidth {
        rows.append([])
        used = 0
      }
      rows[rows.count - 1].append(mark)
      used += keyWidth(mark)
    }
    return rows
  }

  private static func keyWidth(_ mark: SVGMark) -> Double {
    30 + SVGText.width(mark.label ?? "", size: labelSize) + 16
  }
}

extension SVGMark {
  /// Draws the mark.
  ///
  /// - Parameters:
  ///   - box: The plotting area.
  ///   - place: The pixels of a point; NaN where it has none.
  fileprivate func draw(
    on canvas: inout SVGCanvas, _ box: SVGBox, at place: (SVGPoint) -> SVGPoint
  ) {
    for part in shape.parts {
      switch part {
      case .stroke(let lines, let width, let isDashed, let cap):
        let places = lines.map { $0.map(place) }
        if lines.count > 1 || cap != nil, !places.joined().allSatisfy(\.isFinite) { continue }
        var pieces = places.flatMap { $0.split { !$0.isFinite }.map(Array.init) }
        if let cap {
          pieces += places.joined().map {
            [SVGPoint($0.x - cap.x, $0.y - cap.y), SVGPoint($0.x + cap.x, $0.y + cap.y)]
          }
        }
        let data = pieces.filter { $0.count > 1 }.map(Self.path).joined()
        if !data.isEmpty { canvas.path(data, stroke(width, isDashed: isDashed)) }
      case .fill(let points):
        let outline = points.map(place).filter(\.isFinite)
        guard outline.count > 2 else { continue }
        canvas.path(Self.path(outline + [outline[0]]), fill(isTransparent: true))
      case .dots(let points, let radius):
        for point in points.map(place) where point.isFinite {
          canvas.circle(point, radius: radius, fill(isTransparent: opacity < 1))
        }
      case .rule(let point):
        let place = place(point)
        let data =
          point.y.isNaN
          ? "M\(number(place.x)) \(number(box.y))V\(number(box.bottom))"
          : "M\(number(box.x)) \(number(place.y))H\(number(box.right))"
        canvas.path(data, stroke(1.5, isDashed: true))
      }
    }
  }

  /// Draws the sign of the mark in a legend, 22 pixels wide: an area, or else a line, a dot or both.
  fileprivate func drawKey(on canvas: inout SVGCanvas, x: Double, y: Double) {
    let line = "M\(number(x)) \(number(y))h22"
    for part in shape.parts.prefix(2) {
      switch part {
      case .stroke(_, let width, let isDashed, _):
        canvas.path(line, stroke(width, isDashed: isDashed))
      case .rule: canvas.path(line, stroke(1.5, isDashed: true))
      case .dots:
        canvas.circle(SVGPoint(x + 11, y), radius: 4, fill(isTransparent: false))
      case .fill:
        let box = SVGBox(x: x, y: y - 6, width: 22, height: 12)
        return canvas.element("rect", box.attributes + fill(isTransparent: true))
      }
    }
  }

  private static func path(_ points: [SVGPoint]) -> String {
    let isClosed = points.count > 2 && points.first == points.last
    return (isClosed ? points.dropLast() : points[...]).enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(number(point.x)) \(number(point.y))"
    }.joined() + (isClosed ? "Z" : "")
  }

  private func stroke(_ width: Double, isDashed: Bool) -> SVGCanvas.Attributes {
    [
      ("stroke", color), ("stroke-width", number(width)), ("fill", "none"),
      ("stroke-linejoin", "round"),
    ] + (isDashed ? [("stroke-dasharray", "6 4")] : [])
  }

  private func fill(isTransparent: Bool) -> SVGCanvas.Attributes {
    [("fill", color)] + (isTransparent ? [("fill-opacity", number(opacity))] : [])
  }
}

extension SVGPoint {
  fileprivate var isFinite: Bool { x.isFinite && y.isFinite }
}
