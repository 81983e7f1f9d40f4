/// Draws marks in the plotting area of a panel.
struct SVGMarkRenderer {
  let box: SVGBox
  let xScale: SVGScale
  let yScale: SVGScale

  func draw(_ mark: SVGMark, on canvas: inout SVGCanvas) {
    switch mark.shape {
    case .line(let points, let width, let isDashed):
      drawLine(points, width: width, isDashed: isDashed, mark, on: &canvas)
    case .points(let points, let radius):
      for point in points { drawDot(point, radius: radius, mark, on: &canvas) }
    case .band(let lower, let upper):
      let outline = (lower + upper.reversed()).map(place).filter { $0.x.isFinite && $0.y.isFinite }
      guard outline.count > 2 else { return }
      canvas.element(
        "path",
        [
          ("d", path(outline) + "Z"), ("fill", mark.color), ("fill-opacity", number(mark.opacity)),
        ])
    case .horizontalIntervals(let points, let ranges):
      for (point, range) in zip(points, ranges) {
        let ends = [SVGPoint(range.lowerBound, point.y), SVGPoint(range.upperBound, point.y)]
        drawInterval(ends, cap: SVGPoint(0, 5), mark, on: &canvas)
        drawDot(point, radius: 5, mark, on: &canvas)
      }
    case .verticalIntervals(let points, let ranges):
      for (point, range) in zip(points, ranges) {
        let ends = [SVGPoint(point.x, range.lowerBound), SVGPoint(point.x, range.upperBound)]
        drawInterval(ends, cap: SVGPoint(4, 0), mark, on: &canvas)
        drawDot(point, radius: 3.5, mark, on: &canvas)
      }
    case .horizontalBox(let distribution, let position, let thickness):
      drawBox(distribution, position, thickness, mark, on: &canvas)
    case .verticalRule(let x):
      let position = number(box.x + xScale.position(x))
      drawRule("M\(position) \(number(box.y))V\(number(box.bottom))", mark, on: &canvas)
    case .horizontalRule(let y):
      let position = number(box.y + yScale.position(y))
      drawRule("M\(number(box.x)) \(position)H\(number(box.right))", mark, on: &canvas)
    }
  }

  /// Draws the sign of a mark in a legend, 22 pixels wide.
  static func drawKey(of mark: SVGMark, on canvas: inout SVGCanvas, x: Double, y: Double) {
    let line = "M\(number(x)) \(number(y))h22"
    switch mark.shape {
    case .line(_, let width, let isDashed):
      canvas.element("path", [("d", line)] + stroke(mark, width: width, isDashed: isDashed))
    case .points:
      canvas.element("circle", circle(SVGPoint(x + 11, y), radius: 4, color: mark.color))
    case .band, .horizontalBox:
      let box = SVGBox(x: x, y: y - 6, width: 22, height: 12)
      canvas.element(
        "rect", box.attributes + [("fill", mark.color), ("fill-opacity", number(mark.opacity))])
    case .horizontalIntervals, .verticalIntervals:
      canvas.element("path", [("d", line)] + stroke(mark, width: 2, isDashed: false))
      canvas.element("circle", circle(SVGPoint(x + 11, y), radius: 4, color: mark.color))
    case .verticalRule, .horizontalRule:
      canvas.element("path", [("d", line)] + stroke(mark, width: 1.5, isDashed: true))
    }
  }

  private func drawLine(
    _ points: [SVGPoint], width: Double, isDashed: Bool, _ mark: SVGMark,
    on canvas: inout SVGCanvas
  ) {
    let pieces = points.map(place).split { !$0.x.isFinite || !$0.y.isFinite }
    for piece in pieces where piece.count > 1 {
      canvas.element(
        "path", [("d", path(Array(piece)))] + Self.stroke(mark, width: width, isDashed: isDashed))
    }
  }

  private func drawDot(
    _ point: SVGPoint, radius: Double, _ mark: SVGMark, on canvas: inout SVGCanvas
  ) {
    let place = place(point)
    guard place.x.isFinite, place.y.isFinite else { return }
    var attributes = Self.circle(place, radius: radius, color: mark.color)
    if mark.opacity < 1 { attributes.append(("fill-opacity", number(mark.opacity))) }
    canvas.element("circle", attributes)
  }

  private func drawInterval(
    _ ends: [SVGPoint], cap: SVGPoint, _ mark: SVGMark, on canvas: inout SVGCanvas
  ) {
    let places = ends.map(place)
    guard places.allSatisfy({ $0.x.isFinite && $0.y.isFinite }) else { return }
    var text = path(places)
    for end in places {
      text += path([SVGPoint(end.x - cap.x, end.y - cap.y), SVGPoint(end.x + cap.x, end.y + cap.y)])
    }
    canvas.element("path", [("d", text)] + Self.stroke(mark, width: 2, isDashed: false))
  }

  private func drawBox(
    _ distribution: Distribution, _ position: Double, _ thickness: Double, _ mark: SVGMark,
    on canvas: inout SVGCanvas
  ) {
    func line(_ ends: [SVGPoint]) -> String { path(ends.map(place)) }
    func across(_ x: Double, _ thickness: Double) -> [SVGPoint] {
      [SVGPoint(x, position - thickness / 2), SVGPoint(x, position + thickness / 2)]
    }
    let (low, high) = (distribution.lowerWhisker, distribution.upperWhisker)
    let (lower, upper) = (distribution.lowerQuartile, distribution.upperQuartile)
    let ends = [SVGPoint(low, position), SVGPoint(high, position)].map(place)
    guard ends.allSatisfy({ $0.x.isFinite && $0.y.isFinite }) else { return }
    let outline = line(across(lower, thickness) + across(upper, thickness).reversed()) + "Z"
    canvas.element(
      "path", [("d", outline), ("fill", mark.color), ("fill-opacity", number(mark.opacity))])
    let whiskers =
      line([SVGPoint(low, position), SVGPoint(lower, position)])
      + line([SVGPoint(upper, position), SVGPoint(high, position)])
      + line(across(low, thickness / 2)) + line(across(high, thickness / 2))
    canvas.element(
      "path", [("d", outline + whiskers)] + Self.stroke(mark, width: 1.4, isDashed: false))
    canvas.element(
      "path",
      [("d", line(across(distribution.median, thickness)))]
        + Self.stroke(mark, width: 2.8, isDashed: false))
  }

  private func drawRule(_ path: String, _ mark: SVGMark, on canvas: inout SVGCanvas) {
    canvas.element("path", [("d", path)] + Self.stroke(mark, width: 1.5, isDashed: true))
  }

  private func place(_ point: SVGPoint) -> SVGPoint {
    SVGPoint(box.x + xScale.position(point.x), box.y + yScale.position(point.y))
  }

  private func path(_ points: [SVGPoint]) -> String {
    points.enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(number(point.x)) \(number(point.y))"
    }.joined()
  }

  private static func stroke(
    _ mark: SVGMark, width: Double, isDashed: Bool
  ) -> [(String, String)] {
    [
      ("stroke", mark.color), ("stroke-width", number(width)), ("fill", "none"),
      ("stroke-linejoin", "round"),
    ] + (isDashed ? [("stroke-dasharray", "6 4")] : [])
  }

  private static func circle(
    _ center: SVGPoint, radius: Double, color: String
  ) -> [(String, String)] {
    [
      ("cx", number(center.x)), ("cy", number(center.y)), ("r", number(radius)), ("fill", color),
    ]
  }
}
