import ExampleSupport
import SpriteRegression

extension SpriteReport {
  /// Errors by method, and losses against outer iterations.
  var figure: SVGFigure {
    let run = runs.first?.specification
    let images = run?.data.map { "images of \($0.identity)" } ?? "images drawn"
    return SVGFigure(
      title: "Instrumental-variable regression on dSprites, n = \(Numbers.count(run?.size ?? 0))",
      subtitle:
        "\(images); settings: \(settings); boxes: quartiles, dots: runs; lines: medians of runs, bands: quartiles",
      panels: [
        errors, losses("Outer loss", isLabeled: true) { $0.outer },
        losses("Inner loss") { $0.inner },
      ])
  }

  private var errors: SVGPanel {
    var marks = [
      SVGMark(
        .verticalRule(constantError),
        label: "constant predictor, \(Numbers.significant(constantError, digits: 3))",
        color: SVGColor.gray)
    ]
    for (index, result) in methods.enumerated() {
      let color = result.method.color
      let values = result.outOfSampleErrors
      if let error = result.outOfSampleError {
        marks.append(.box(error, at: Double(index), color: color))
      }
      marks.append(
        .points(
          values.enumerated().map { SVGPoint($1, Double(index) + Self.offset($0)) }, color: color,
          radius: 2.4, opacity: 0.7))
    }
    return SVGPanel(
      title: "Out-of-sample error",
      xAxis: SVGAxis("mean squared error", scale: .logarithmic),
      yAxis: SVGAxis("", scale: .categories(methods.map(\.method.title))), marks: marks)
  }

  /// How far the dot of a run is from the middle of its box: evenly spread, neighbours apart.
  private static func offset(_ index: Int) -> Double {
    let golden = 0.618_033_988_749_895
    return 0.44 * ((Double(index) * golden + 0.5).truncatingRemainder(dividingBy: 1) - 0.5)
  }

  private func losses(
    _ title: String, isLabeled: Bool = false, _ loss: (SpriteFit.Losses) -> Double
  ) -> SVGPanel {
    var (bands, lines): ([SVGMark], [SVGMark]) = ([], [])
    for result in methods {
      let curves = runs.filter { $0.specification.method == result.method }
        .map { $0.losses.map(loss) }
      let color = result.method.color
      let curve = Self.quartiles(curves)
      if curves.count > 1 {
        bands.append(
          .band(
            lower: curve.map { SVGPoint($0.iteration, $0.losses.lowerQuartile) },
            upper: curve.map { SVGPoint($0.iteration, $0.losses.upperQuartile) }, color: color,
            opacity: 0.15))
      }
      lines.append(
        .line(
          curve.map { SVGPoint($0.iteration, $0.losses.median) },
          label: isLabeled ? result.method.title : nil, color: color, width: 1.6))
    }
    // A logarithm of a narrow range only makes its ticks hard to read.
    let values = runs.flatMap { $0.losses.map(loss) }
    let isWide = (values.max() ?? 1) > 10 * (values.min() ?? 1)
    return SVGPanel(
      title: title, xAxis: SVGAxis("outer iteration", scale: iterationScale),
      yAxis: SVGAxis(title.lowercased(), scale: isWide ? .logarithmic : .linear),
      marks: bands + lines)
  }

  /// Logarithmic where some methods take far more iterations than others.
  private var iterationScale: SVGAxis.Scale {
    let counts = methods.map(\.settings.iterations)
    return (counts.max() ?? 1) > 4 * (counts.min() ?? 1) ? .logarithmic : .linear
  }

  /// The distribution over runs at some iterations, as many as a plot can show.
  private static func quartiles(
    _ curves: [[Double]]
  ) -> [(iteration: Double, losses: Distribution)] {
    let count = curves.map(\.count).max() ?? 0
    var shown: [(iteration: Double, losses: Distribution)] = []
    var next = 1.0
    for iteration in stride(from: 1, through: count, by: 1)
    where Double(iteration) >= next || iteration == count {
      // Dense at first, where the scale may be logarithmic, and then by hundredths of the count.
      next = Double(iteration) + min(0.02 * Double(iteration), Double(count) / 200)
      let values = curves.compactMap { iteration <= $0.count ? $0[iteration - 1] : nil }
      if let losses = Distribution(values) { shown.append((Double(iteration), losses)) }
    }
    return shown
  }
}

extension SpriteMethod {
  /// The colour of the method in plots, the same whatever it is compared with.
  fileprivate var color: String {
    switch self {
    case .dfiv: SVGColor.blue
    case .funcid: SVGColor.vermilion
    case .funcidLinear: SVGColor.orange
    case .aid: SVGColor.green
    case .itd: SVGColor.purple
    case .gradientPenalty: SVGColor.sky
    case .valueFunction: SVGColor.black
    }
  }
}
