import ExampleSupport
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("SVG figures") struct SVGTests {
  private func figure(title: String = "Fit & truth <1>") -> SVGFigure {
    let curve = (0...20).map { SVGPoint(Double($0) / 2, Double($0 * $0) / 10) }
    let everything: [SVGMark] = [
      .band(
        lower: curve, upper: curve.map { SVGPoint($0.x, $0.y + 3) }, label: "band",
        color: SVGColor.sky),
      .line(curve, label: "truth \"quoted\"", color: SVGColor.blue),
      .line(curve + [SVGPoint(.nan, 1)] + curve, color: SVGColor.green, isDashed: true),
      .points(curve, label: "data", color: SVGColor.vermilion, opacity: 0.5),
      SVGMark(.verticalIntervals([SVGPoint(1, 2)], ranges: [1...3]), color: SVGColor.orange),
      SVGMark(.horizontalRule(5), label: "rule", color: SVGColor.gray),
    ]
    return SVGFigure(
      title: title, subtitle: "all marks",
      panels: [
        SVGPanel(title: "linear", xAxis: SVGAxis("x"), yAxis: SVGAxis("y"), marks: everything),
        SVGPanel(
          xAxis: SVGAxis("steps"), yAxis: SVGAxis("loss", scale: .logarithmic),
          marks: [
            .line([1, 10, 1e4].map { SVGPoint($0, 1 / $0) }, color: SVGColor.blue),
            SVGMark(.verticalRule(5000), color: SVGColor.gray),
          ]),
        SVGPanel(
          xAxis: SVGAxis("estimate"), yAxis: SVGAxis("", scale: .categories(["2SLS", "OLS"])),
          marks: [
            SVGMark(
              .horizontalIntervals([SVGPoint(1, 0), SVGPoint(2, 1)], ranges: [0...3, 1...3]),
              color: SVGColor.blue)
          ]),
      ])
  }

  @Test("Is well formed and deterministic") func isWellFormedAndDeterministic() {
    let text = figure().svg()
    let parser = XMLParser(data: Data(text.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(text == figure().svg())
    #expect(text.contains("<title>Fit &amp; truth &lt;1&gt;</title>"))
    #expect(!text.contains("nan") && !text.contains("inf"))
  }

  @Test("Hostile text is escaped") func hostileTextIsEscaped() {
    let text = figure(title: "a\u{0}\u{1B}[31m</text><script>\u{FFFE}\n\"'&amp;").svg()
    let parser = XMLParser(data: Data(text.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(!text.contains("<script>"))
  }

  /// Whatever the numbers, there is a file without NaN.
  @Test(
    "Odd numbers draw",
    arguments: [
      [], [.nan], [.infinity], [0], [.leastNonzeroMagnitude], [1e308, -1e308], [1e18, 1e18 + 256],
      [-5, -5, -5],
      [1e-12, 1e12], [.greatestFiniteMagnitude],
    ])
  func oddNumbersDraw(values: [Double]) {
    let points = values.map { SVGPoint($0, $0) }
    for scale in [SVGAxis.Scale.linear, .logarithmic, .categories([])] {
      let panel = SVGPanel(
        xAxis: SVGAxis("x", scale: scale), yAxis: SVGAxis("y", scale: scale, domain: 1e18...1e18),
        marks: [
          .line(points, color: SVGColor.blue), .points(points, color: SVGColor.blue),
          .band(lower: points, upper: points, color: SVGColor.blue),
        ] + [Distribution(values)].compactMap { $0 }.map { .box($0, at: 0, color: SVGColor.blue) })
      let text = SVGFigure(title: "", panels: [panel]).svg()
      #expect(XMLParser(data: Data(text.utf8)).parse())
      #expect(!text.contains("\"nan") && !text.contains("\"inf"))
    }
    #expect(SVGFigure(title: "empty", panels: []).svg().contains("</svg>"))
  }

  @Test("Ticks are round") func ticksAreRound() {
    func labels(_ axis: SVGAxis, _ values: [Double]) -> [String] {
      let panel = SVGPanel(
        xAxis: axis, yAxis: SVGAxis("", scale: .categories([])),
        marks: [.points(values.map { SVGPoint($0, 0) }, color: SVGColor.blue)])
      let text = SVGFigure(title: "", panels: [panel]).svg()
      return text.matches(of: #/text-anchor="middle">([^<]*)</#).map { String($0.1) }
        .filter { !$0.isEmpty }
    }
    #expect(labels(SVGAxis(""), [0, 1]) == ["0.0", "0.5", "1.0"])
    #expect(labels(SVGAxis(""), [-30, 20]) == ["−20", "0", "20"])
    #expect(
      labels(SVGAxis("", domain: 0...4e6), [])
        == ["0", "10⁶", "2×10⁶", "3×10⁶", "4×10⁶", "no data"].dropLast())
    #expect(
      labels(SVGAxis("", scale: .logarithmic, domain: 1e-8...1e2), [])
        == ["10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "1", "10²"].map { $0 == "1" ? "10⁰" : $0 })
    #expect(
      labels(SVGAxis("", scale: .logarithmic, domain: 1...100), [])
        == ["1", "3", "10", "30", "100"])
    #expect(
      labels(SVGAxis("", scale: .logarithmic, domain: 12...40), []) == ["15", "20", "30"])
    #expect(
      labels(SVGAxis("", scale: .logarithmic, domain: 7...75), []) == ["10", "20", "30", "50"])
    #expect(
      labels(SVGAxis("", scale: .logarithmic, domain: 51...58), []) == ["52", "54", "56", "58"])
  }

  /// Axis from 0 to 100, 420 pixels wide: every part of the box is where its number is.
  @Test("Boxes are drawn to scale") func boxesAreDrawnToScale() throws {
    let numbers = try #require(Distribution([10, 20, 30, 40, 100]))
    let panel = SVGPanel(
      xAxis: SVGAxis("", domain: 0...100), yAxis: SVGAxis("", scale: .categories(["a", "b"])),
      marks: [.box(numbers, at: 1, thickness: 0.5, color: SVGColor.blue)])
    let text = SVGFigure(title: "", panels: [panel]).svg()
    let frame = try #require(text.firstMatch(of: #/<rect x="([\d.]+)" y="([\d.]+)" width="420"/#))
    let (left, top) = (try #require(Double(frame.1)), try #require(Double(frame.2)))
    func places(_ path: Substring) -> [[Double]] {
      path.matches(of: #/[ML]([\d.]+) ([\d.]+)/#).map {
        [((Double($0.1) ?? .nan) - left) / 4.2, (Double($0.2) ?? .nan) - top]
      }
    }
    let paths = text.matches(of: #/<path d="([^"]*)" [^>]*#0072B2/#).map { places($0.1) }
    // Fill, outline with whiskers, median; the second of two categories, 160 pixels each.
    #expect(paths.count == 3)
    let box: [[Double]] = [[20, 200], [20, 280], [40, 280], [40, 200]]
    let whiskers: [[Double]] = [
      [10, 240], [20, 240], [40, 240], [40, 240], [10, 220], [10, 260], [40, 220], [40, 260],
    ]
    let median: [[Double]] = [[30, 200], [30, 280]]
    for (found, expected) in zip(paths, [box, box + whiskers, median]) {
      #expect(found.count == expected.count)
      for (point, wanted) in zip(found, expected) {
        #expect(abs(point[0] - wanted[0]) < 0.01 && abs(point[1] - wanted[1]) < 0.02)
      }
    }
  }
}
