import ExampleSupport
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct SVGTests {
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

  @Test func isWellFormedAndDeterministic() {
    let text = figure().svg()
    let parser = XMLParser(data: Data(text.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(text == figure().svg())
    #expect(text.contains("<title>Fit &amp; truth &lt;1&gt;</title>"))
    #expect(!text.contains("nan") && !text.contains("inf"))
  }

  @Test func hostileTextIsEscaped() {
    let text = figure(title: "a\u{0}\u{1B}[31m</text><script>\u{FFFE}\n\"'&amp;").svg()
    let parser = XMLParser(data: Data(text.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(!text.contains("<script>"))
  }

  /// Whatever the numbers, there is a file without NaN.
  @Test(arguments: [
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
        ])
      let text = SVGFigure(title: "", panels: [panel]).svg()
      #expect(XMLParser(data: Data(text.utf8)).parse())
      #expect(!text.contains("\"nan") && !text.contains("\"inf"))
    }
    #expect(SVGFigure(title: "empty", panels: []).svg().contains("</svg>"))
  }

  @Test func ticksAreRound() {
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
    #expect(labels(SVGAxis("", scale: .logarithmic, domain: 1...100), []).contains("50"))
  }
}
