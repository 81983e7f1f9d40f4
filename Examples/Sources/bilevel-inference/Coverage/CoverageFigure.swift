import ExampleSupport

extension CoverageReport {
  /// Coverage against n, and the bias in units of the standard deviation against n.
  var figure: SVGFigure {
    SVGFigure(
      title: "Coverage of 95 % intervals: \(specification.design.summary)",
      subtitle: "\(specification.learner); \(specification.foldCount) folds; "
        + "\(summaries.map(\.replications).max() ?? 0) replications",
      panels: [coverage, bias])
  }

  private var coverage: SVGPanel {
    let (first, last) = ends
    let marks: [SVGMark] = [
      .band(
        lower: [SVGPoint(first, 0.93), SVGPoint(last, 0.93)],
        upper: [SVGPoint(first, 0.97), SVGPoint(last, 0.97)], label: "93–97 %",
        color: SVGColor.gray, opacity: 0.15),
      SVGMark(.horizontalRule(0.95), color: SVGColor.gray),
    ]
    let least = summaries.map(\.coverage).min() ?? 0.9
    return SVGPanel(
      title: "Coverage", xAxis: sizeAxis,
      yAxis: SVGAxis(
        "share of intervals that hold the truth", domain: min(0.85, least - 0.03)...1),
      marks: marks + lines(isLabeled: true, \.coverage), plotWidth: 460)
  }

  private var bias: SVGPanel {
    SVGPanel(
      title: "Bias", xAxis: sizeAxis,
      yAxis: SVGAxis("|bias| / standard deviation", scale: .logarithmic),
      marks: lines(isLabeled: false, \.biasToDeviation), plotWidth: 460)
  }

  private var sizeAxis: SVGAxis {
    let (first, last) = ends
    return SVGAxis("n", scale: .logarithmic, domain: first...last)
  }

  /// The range of sizes with some room.
  private var ends: (Double, Double) {
    let sizes = sizes.map(Double.init)
    return ((sizes.min() ?? 1) / 1.15, (sizes.max() ?? 1) * 1.15)
  }

  private func lines(
    isLabeled: Bool, _ value: (CoverageSummary) -> Double
  ) -> [SVGMark] {
    specification.methods.flatMap { method in
      let points = summaries.filter { $0.method == method }
        .map { SVGPoint(Double($0.size), value($0)) }
      return [
        SVGMark.line(points, label: isLabeled ? method.title : nil, color: method.color),
        .points(points, color: method.color),
      ]
    }
  }
}

extension StudyMethod {
  /// The colour of the method in plots, the same whatever it is compared with.
  var color: String {
    switch self {
    case .oracle: SVGColor.black
    case .obigrad: SVGColor.blue
    case .obigradSplit: SVGColor.sky
    case .plugin: SVGColor.vermilion
    case .pluginInSample: SVGColor.orange
    case .kboFixed: SVGColor.green
    case .kboDecaying: SVGColor.gray
    case .residual: SVGColor.purple
    }
  }
}
