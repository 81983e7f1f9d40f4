import ExampleSupport
import SpriteRegression

/// What `dsprites` writes with `--json`.
struct SpriteReport: Encodable {
  /// Of the constant that predicts best.
  let constantError: Double
  /// Where settings come from, and the options that replace them.
  let settings: String
  let methods: [MethodResult]
  /// Every run with its settings, seed, losses and the software under it.
  let runs: [SpriteRun]

  /// The runs of one method.
  struct MethodResult: Encodable {
    let method: SpriteMethod
    let settings: SpriteSettings
    let seeds: [UInt64]
    /// Of the runs that ended, in the order of the seeds.
    let outOfSampleErrors: [Double]
    let outOfSampleError: Distribution?
    /// Medians after the last iteration.
    let outerLoss: Double?
    let innerLoss: Double?
    let secondsPerIteration: Double?
    /// The largest.
    let peakMemoryBytes: Int?
    /// Why runs failed, by seed.
    let failures: [String: String]

    init(_ method: SpriteMethod, _ settings: SpriteSettings, _ runs: [SpriteRun]) {
      let ended = runs.filter { $0.failure == nil }
      (self.method, self.settings) = (method, settings)
      seeds = runs.map(\.specification.seed)
      outOfSampleErrors = ended.compactMap(\.outOfSampleError)
      outOfSampleError = Distribution(outOfSampleErrors)
      outerLoss = Distribution(ended.compactMap { $0.losses.last?.outer })?.median
      innerLoss = Distribution(ended.compactMap { $0.losses.last?.inner })?.median
      secondsPerIteration = Distribution(runs.compactMap(\.secondsPerIteration))?.median
      peakMemoryBytes = runs.compactMap(\.peakMemoryBytes).max()
      failures = Dictionary(
        uniqueKeysWithValues: runs.compactMap { run in
          run.failure.map { ("\(run.specification.seed)", $0) }
        })
    }
  }

  init(_ runs: [SpriteRun], settings: String) {
    (self.runs, self.settings) = (runs, settings)
    constantError = runs.first?.constantError ?? .nan
    methods = SpriteMethod.allCases.compactMap { method in
      let own = runs.filter { $0.specification.method == method }
      return own.first.map { MethodResult(method, $0.specification.settings, own) }
    }
  }
}

extension SpriteReport {
  private var images: String {
    runs.first?.specification.data.map { "images of \($0.identity)" } ?? "images drawn"
  }

  /// The text for the terminal.
  var text: String {
    guard let run = runs.first?.specification else { return "" }
    let heading = """
      Instrumental-variable regression on dSprites
        n                \(Numbers.count(run.size)), halved; \(images); \(run.precision.rawValue)
        Settings         \(wrapped(settings, width: 100, indent: 19).drop { $0 == " " })
        Linear algebra   \(Set(runs.map(\.linearAlgebra)).sorted().joined(separator: "; "))
      """
    return ([heading, table] + [failures].filter { !$0.isEmpty }).joined(separator: "\n\n")
  }

  private var table: String {
    func shown(_ value: Double?) -> String { value.map { Numbers.significant($0) } ?? "—" }
    func range(
      _ result: MethodResult, _ low: (Distribution) -> Double, _ high: (Distribution) -> Double
    ) -> String {
      // One run has no spread.
      guard result.outOfSampleErrors.count > 1, let error = result.outOfSampleError else {
        return "—"
      }
      return "\(shown(low(error)))–\(shown(high(error)))"
    }
    // The last row is the constant predictor.
    let rows: [MethodResult?] = methods + [nil]
    func cell(_ text: @escaping (MethodResult) -> String) -> (MethodResult?) -> String {
      { $0.map(text) ?? "" }
    }
    let constant = shown(constantError)
    let table = rows.table([
      .init("method") { $0?.method.title ?? "constant" },
      .init("runs", text: cell { "\($0.outOfSampleErrors.count)" }),
      .init("median") { $0.map { shown($0.outOfSampleError?.median) } ?? constant },
      .init("quartiles", text: cell { range($0, \.lowerQuartile, \.upperQuartile) }),
      .init("min–max", text: cell { range($0, \.minimum, \.maximum) }),
      .init("outer loss", text: cell { shown($0.outerLoss) }),
      .init("inner loss", text: cell { shown($0.innerLoss) }),
      .init(
        "s/iteration",
        text: cell { $0.secondsPerIteration.map { Numbers.significant($0, digits: 3) } ?? "—" }),
      .init(
        "peak memory",
        text: cell { $0.peakMemoryBytes.map { "\(Numbers.count($0 / 1_048_576)) MiB" } ?? "—" }),
    ])
    return "Mean squared error against the true function on 588 images without noise\n" + table
      + "\n"
      + wrapped(
        "Losses are medians after the last iteration; the inner loss is of a method's own features, "
          + "so it does not compare methods. Seconds per iteration are the median over runs, peak "
          + "memory is the maximum.", width: 100)
  }

  private var failures: String {
    runs.compactMap { run in
      run.failure.map { reason in
        let text = reason.split(separator: "\n").joined(separator: "\n      ")
        let (method, seed) = (run.specification.method.title, run.specification.seed)
        return "  \(method), seed \(seed), failed after \(run.losses.count) iterations: \(text)"
      }
    }.joined(separator: "\n")
  }

  /// Errors by method, and losses against outer iterations.
  var figure: SVGFigure {
    let size = runs.first?.specification.size ?? 0
    return SVGFigure(
      title: "Instrumental-variable regression on dSprites, n = \(Numbers.count(size))",
      subtitle:
        "\(images); settings: \(settings); boxes: quartiles, dots: runs; lines: medians of runs, bands: quartiles",
      panels: [
        errors, losses("Outer loss", isLabeled: true) { $0.outer },
        losses("Inner loss") { $0.inner },
      ])
  }

  private var errors: SVGPanel {
    .rows(
      methods.map(\.method.title), title: "Out-of-sample error",
      xAxis: SVGAxis("mean squared error", scale: .logarithmic),
      rule: (
        constantError, "constant predictor, \(Numbers.significant(constantError, digits: 3))"
      )
    ) { row, y in
      let color = methods[row].method.color
      // Dots evenly spread over the box, neighbours apart.
      let places = methods[row].outOfSampleErrors.enumerated().map { index, error in
        let place = Double(index) * 0.618_033_988_749_895 + 0.5
        return SVGPoint(error, y + 0.44 * (place.truncatingRemainder(dividingBy: 1) - 0.5))
      }
      return [methods[row].outOfSampleError.map { .box($0, at: y, color: color) }]
        .compactMap { $0 } + [.points(places, color: color, radius: 2.4, opacity: 0.7)]
    }
  }

  private func losses(
    _ title: String, isLabeled: Bool = false, _ loss: (SpriteFit.Losses) -> Double
  ) -> SVGPanel {
    var (bands, lines): ([SVGMark], [SVGMark]) = ([], [])
    for result in methods {
      let curves = runs.filter { $0.specification.method == result.method }
        .map { $0.losses.map(loss) }
      let curve = Self.quartiles(curves)
      func points(_ value: (Distribution) -> Double) -> [SVGPoint] {
        curve.map { SVGPoint($0.iteration, value($0.losses)) }
      }
      let color = result.method.color
      if curves.count > 1 {
        bands.append(
          .band(
            lower: points(\.lowerQuartile), upper: points(\.upperQuartile), color: color,
            opacity: 0.15))
      }
      lines.append(
        .line(
          points(\.median), label: isLabeled ? result.method.title : nil, color: color, width: 1.6))
    }
    // A logarithm of a narrow range only makes its ticks hard to read; iterations have one where some
    // methods take far more of them than others.
    func scale(_ values: [Double], above factor: Double) -> SVGAxis.Scale {
      (values.max() ?? 1) > factor * (values.min() ?? 1) ? .logarithmic : .linear
    }
    return SVGPanel(
      title: title,
      xAxis: SVGAxis(
        "outer iteration", scale: scale(methods.map { Double($0.settings.iterations) }, above: 4)),
      yAxis: SVGAxis(
        title.lowercased(), scale: scale(runs.flatMap { $0.losses.map(loss) }, above: 10)),
      marks: bands + lines)
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
  /// What the method is, in a line of the help.
  var summary: String { words.summary }
  /// The colour of the method in plots, the same whatever it is compared with.
  fileprivate var color: String { words.color }

  private var words: (summary: String, color: String) {
    switch self {
    case .dfiv:
      ("back-propagation through both ridge regressions (Xu et al. 2021)", SVGColor.blue)
    case .funcid: ("functional implicit differentiation, adjoint by a network", SVGColor.vermilion)
    case .funcidLinear:
      ("the same, adjoint in closed form on the network's features", SVGColor.orange)
    case .aid:
      ("implicit differentiation in the parameters, conjugate gradients", SVGColor.green)
    case .itd: ("back-propagation through the last inner steps", SVGColor.purple)
    case .gradientPenalty:
      ("joint training, penalty on the norm of the inner gradient", SVGColor.sky)
    case .valueFunction:
      ("joint training, penalty on the inner loss above its minimum", SVGColor.black)
    }
  }
}
