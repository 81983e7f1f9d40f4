import ExampleSupport

/// The results of a coverage study.
struct CoverageReport: Encodable, Sendable {
  let specification: CoverageSpecification
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra = Repetition.linearAlgebra
  /// By size, then by method.
  let summaries: [CoverageSummary]
  let failures: [Failure]

  /// Samples on which a method gave no estimate.
  struct Failure: Encodable, Sendable {
    let method: StudyMethod
    let size: Int
    let count: Int
    /// Of the first of them.
    let reason: String
  }

  init(_ specification: CoverageSpecification, _ replications: [CoverageReplication], sizes: [Int])
  {
    self.specification = specification
    summaries = sizes.flatMap {
      CoverageSummary.summaries(of: replications, size: $0, methods: specification.methods)
    }
    failures = sizes.flatMap { size in
      specification.methods.enumerated().compactMap { position, method in
        let reasons = replications.filter { $0.task.size == size }
          .compactMap { $0.methods[position].failure }
        return reasons.first.map {
          Failure(method: method, size: size, count: reasons.count, reason: $0)
        }
      }
    }
  }

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
      let tables = [Self.gradientTable(rows), Self.inferenceTable(rows), Self.bandTable(rows)]
      return "n = \(Numbers.count(size)), \(rows.first?.replications ?? 0) replications\n"
        + tables.compactMap { $0 }.joined(separator: "\n\n")
    }
    let failures = failures.map {
      wrapped(
        "\($0.method.title) failed on \($0.count) of the samples of n = \(Numbers.count($0.size)): "
          + $0.reason, width: 100)
    }
    return ([heading] + sections + failures + [Self.notes]).joined(separator: "\n\n")
  }

  /// The sizes in the order of the study.
  var sizes: [Int] {
    summaries.reduce(into: []) { if $0.last != $1.size { $0.append($1.size) } }
  }

  private static let notes = wrapped(
    "Errors of the gradient at one ω, over coordinates: norms of bias and sd, mean coverage with "
      + "its Monte Carlo error and the range of coordinates. 'at OBiGrad's length' is the coverage of "
      + "intervals as long as OBiGrad's around each method's estimate. 'size at ω*' is how often "
      + "the joint 5 % test rejects a zero gradient where it is zero. ‖ĵ − j‖ is the root mean "
      + "squared error of the regression of ∂g_ω.", width: 100)

  private static func gradientTable(_ rows: [CoverageSummary]) -> String? {
    var table = TextTable(header: [
      "gradient", "bias", "sd", "RMSE (MC se)", "/ oracle", "|bias|/sd", "coverage (MC se)",
      "coordinates", "at OBiGrad's length", "length",
    ])
    for row in rows {
      table.append([
        row.method.title, number(row.bias), number(row.deviation),
        "\(number(row.rootMeanSquare)) (\(number(row.rootMeanSquareError)))",
        row.relativeRootMeanSquare.map { Numbers.fixed($0, decimals: 2) } ?? "—",
        Numbers.fixed(row.biasToDeviation, decimals: 2),
        "\(share(row.coverage)) (\(share(row.coverageError)))",
        "\(share(row.leastCoverage))–\(share(row.largestCoverage))",
        share(row.efficientLengthCoverage), number(row.length),
      ])
    }
    return table.text()
  }

  private static func inferenceTable(_ rows: [CoverageSummary]) -> String? {
    var table = TextTable(header: [
      "tests, root, nuisances", "joint coverage", "size at ω*", "root bias", "root RMSE",
      "root coverage", "‖ĵ − j‖",
    ])
    for row in rows {
      table.append([
        row.method.title, share(row.jointCoverage), share(row.stationarityRejection),
        row.root.map { number($0.bias) } ?? "—", row.root.map { number($0.rootMeanSquare) } ?? "—",
        share(row.root?.coverage), row.slopeError.map { number($0) } ?? "—",
      ])
    }
    return table.text()
  }

  private static func bandTable(_ rows: [CoverageSummary]) -> String? {
    guard rows.contains(where: { $0.band != nil }) else { return nil }
    var table = TextTable(header: [
      "simultaneous band", "coverage (MC se)", "with pointwise intervals", "critical value",
    ])
    for row in rows {
      guard let band = row.band else { continue }
      table.append([
        row.method.title, "\(share(band.coverage)) (\(share(band.coverageError)))",
        share(band.pointwiseCoverage), Numbers.fixed(band.meanCriticalValue, decimals: 3),
      ])
    }
    return table.text()
  }

  private static func number(_ value: Double) -> String { Numbers.fixed(value, decimals: 4) }

  private static func share(_ value: Double?) -> String {
    value.map { Numbers.fixed($0, decimals: 3) } ?? "—"
  }
}
