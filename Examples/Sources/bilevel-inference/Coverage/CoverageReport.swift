import ExampleSupport
import TensorFiles

/// The results of a coverage study.
struct CoverageReport: Report {
  let specification: CoverageSpecification
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra = Repetition.linearAlgebra
  /// By size, then by method.
  let summaries: [CoverageSummary]
  let failures: [Failure]

  /// Samples on which a method gave no estimate.
  struct Failure: Encodable {
    let method: StudyMethod
    let size: Int
    let count: Int
    /// Of the first of them.
    let reason: String
  }

  /// - Parameter replications: By size.
  init(
    _ specification: CoverageSpecification, sizes: [Int], _ replications: [[[MethodRecord]]]
  ) {
    self.specification = specification
    var (summaries, failures): ([CoverageSummary], [Failure]) = ([], [])
    for (size, rows) in zip(sizes, replications) {
      let records = Dictionary(
        uniqueKeysWithValues: specification.methods.enumerated().map { position, method in
          (method, rows.map { $0[position] })
        })
      for method in specification.methods {
        CoverageSummary(method, size: size, records).map { summaries.append($0) }
        let reasons = records[method]?.compactMap(\.failure) ?? []
        guard let reason = reasons.first else { continue }
        failures.append(Failure(method: method, size: size, count: reasons.count, reason: reason))
      }
    }
    (self.summaries, self.failures) = (summaries, failures)
  }

  var csv: CSVWriter { summaries.csv(CoverageSummary.file) }

  /// The text for the terminal.
  var text: String {
    let heading = """
      Coverage of 95 % intervals: \(specification.design.summary)
        Nuisances   \(specification.learner)
        Folds       \(specification.foldCount), shared noise \(specification.sharedNoise.rawValue)
        Repeat with \(Repetition.text(seed: specification.seed))
      """
    let sections = sizes.map { size in
      let rows = summaries.filter { $0.size == size }
      let bands = rows.filter(\.hasBand)
      let tables =
        [rows.table(CoverageSummary.gradientTable), rows.table(CoverageSummary.inferenceTable)]
        + (bands.isEmpty ? [] : [bands.table(CoverageSummary.bandTable)])
      return "n = \(Numbers.count(size)), \(rows.first?.replications ?? 0) replications\n"
        + tables.joined(separator: "\n\n")
    }
    let failures = failures.map {
      wrapped(
        "\($0.method.title) failed on \($0.count) of the samples of n = \(Numbers.count($0.size)): "
          + $0.reason, width: 100)
    }
    return ([heading] + sections + failures + [Self.notes]).joined(separator: "\n\n")
  }

  private static let notes = wrapped(
    "Errors of the gradient at one ω, over coordinates: norms of bias and sd, mean coverage with "
      + "its Monte Carlo error and the range of coordinates. 'at OBiGrad's length' is the coverage of "
      + "intervals as long as OBiGrad's around each method's estimate. 'size at ω*' is how often "
      + "the joint 5 % test rejects a zero gradient where it is zero. ‖ĵ − j‖ is the root mean "
      + "squared error of the regression of ∂g_ω.", width: 100)

  /// The sizes in the order of the study.
  private var sizes: [Int] {
    summaries.reduce(into: []) { if $0.last != $1.size { $0.append($1.size) } }
  }

  /// Coverage against n, and the bias in units of the standard deviation against n.
  var figure: SVGFigure {
    let numbers = sizes.map(Double.init)
    let (first, last) = ((numbers.min() ?? 1) / 1.15, (numbers.max() ?? 1) * 1.15)
    let sizeAxis = SVGAxis("n", scale: .logarithmic, domain: first...last)
    let least = summaries.map(\.coverage).min() ?? 0.9
    return SVGFigure(
      title: "Coverage of 95 % intervals: \(specification.design.summary)",
      subtitle: "\(specification.learner); \(specification.foldCount) folds; "
        + "\(summaries.map(\.replications).max() ?? 0) replications",
      panels: [
        SVGPanel(
          title: "Coverage", xAxis: sizeAxis,
          yAxis: SVGAxis(
            "share of intervals that hold the truth", domain: min(0.85, least - 0.03)...1),
          marks: [
            .band(
              lower: [SVGPoint(first, 0.93), SVGPoint(last, 0.93)],
              upper: [SVGPoint(first, 0.97), SVGPoint(last, 0.97)], label: "93–97 %",
              color: SVGColor.gray, opacity: 0.15),
            SVGMark(.horizontalRule(0.95), color: SVGColor.gray),
          ] + lines(isLabeled: true, \.coverage), plotWidth: 460),
        SVGPanel(
          title: "Bias", xAxis: sizeAxis,
          yAxis: SVGAxis("|bias| / standard deviation", scale: .logarithmic),
          marks: lines(isLabeled: false, \.biasToDeviation), plotWidth: 460),
      ])
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
