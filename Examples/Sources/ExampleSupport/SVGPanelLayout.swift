import Foundation

/// The measures of a panel, and its drawing.
struct SVGPanelLayout {
  let width: Double
  let height: Double

  private let panel: SVGPanel
  private let xScale: SVGScale
  private let yScale: SVGScale
  private let xTicks: SVGTicks
  private let yTicks: SVGTicks
  private let legend: [[SVGMark]]
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
    legend = Self.legendRows(panel)

    let widestLabel = yTicks.labels.map { SVGText.width($0, size: Self.labelSize) }.max() ?? 0
    left = (panel.yAxis.label.isEmpty ? 6 : 30) + widestLabel + 10
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
    drawLegend(on: &canvas, x: box.x, y: y + (panel.title.isEmpty ? 0 : 26))
    drawAxes(on: &canvas, box, outerLeft: x)
    if panel.marks.isEmpty {
      canvas.text(
        "no data", x: box.x + box.width / 2, y: box.y + box.height / 2, size: 14,
        anchor: "middle", color: SVGColor.mutedText)
    }
    let renderer = SVGMarkRenderer(box: box, xScale: xScale, yScale: yScale)
    canvas.clipped(to: box, identifier: "panel\(identifier)") { canvas in
      for mark in panel.marks { renderer.draw(mark, on: &canvas) }
    }
    canvas.element(
      "rect", box.attributes + [("fill", "none"), ("stroke", SVGColor.frame)])
  }

  private func drawAxes(on canvas: inout SVGCanvas, _ box: SVGBox, outerLeft: Double) {
    for (value, label) in zip(xTicks.values, xTicks.labels) {
      let x = box.x + xScale.position(value)
      canvas.element("path", [("d", "M\(number(x)) \(number(box.y))V\(number(box.bottom))")] + grid)
      canvas.text(label, x: x, y: box.bottom + 19, size: Self.labelSize, anchor: "middle")
    }
    for (value, label) in zip(yTicks.values, yTicks.labels) {
      let y = box.y + yScale.position(value)
      canvas.element("path", [("d", "M\(number(box.x)) \(number(y))H\(number(box.right))")] + grid)
      canvas.text(label, x: box.x - 8, y: y + 4.5, size: Self.labelSize, anchor: "end")
    }
    canvas.text(
      panel.xAxis.label, x: box.x + box.width / 2, y: box.bottom + 43, size: 14, anchor: "middle")
    canvas.text(
      panel.yAxis.label, x: outerLeft + 16, y: box.y + box.height / 2, size: 14,
      anchor: "middle", rotation: -90)
  }

  private var grid: [(String, String)] { [("stroke", SVGColor.grid), ("fill", "none")] }

  private func drawLegend(on canvas: inout SVGCanvas, x: Double, y: Double) {
    for (row, marks) in legend.enumerated() {
      var position = x
      let middle = y + Double(row) * Self.legendLine + 9
      for mark in marks {
        SVGMarkRenderer.drawKey(of: mark, on: &canvas, x: position, y: middle)
        canvas.text(mark.label ?? "", x: position + 30, y: middle + 4.5, size: Self.labelSize)
        position += Self.keyWidth(mark)
      }
    }
  }

  /// The legend above the axes, where it covers no data, in as many rows as it needs.
  static func legendRows(_ panel: SVGPanel) -> [[SVGMark]] {
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
