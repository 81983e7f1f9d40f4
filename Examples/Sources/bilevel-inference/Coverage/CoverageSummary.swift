import ExampleSupport
import Inference

/// What the replications of one sample size say about one method, as columns.
///
/// Errors are of the gradient at the evaluation point unless they are of the root; a norm is
/// Euclidean over coordinates, and means of coverage are over coordinates too.
struct CoverageSummary: Encodable {
  let method: StudyMethod
  /// Rows of a sample, n.
  let size: Int
  /// The replications with an estimate.
  private let records: [MethodRecord]
  private let errors: ErrorTable
  private let hits: HitTable
  /// Whether intervals around the estimate as long as those of the orthogonal method hold the truth.
  private let efficientHits: HitTable?
  /// The root mean square of the oracle in the same study.
  private let oracle: Double?
  /// Errors and intervals of the root, over the replications in which it is identified.
  private let root: (errors: [[Double]], standardErrors: [[Double]])

  /// Nil where there is no estimate at all.
  ///
  /// - Parameter others: The records of other methods of the same replications.
  init?(_ method: StudyMethod, size: Int, _ others: [StudyMethod: [MethodRecord]]) {
    let all = others[method] ?? []
    records = all.filter { !$0.errors.isEmpty }
    guard !records.isEmpty else { return nil }
    (self.method, self.size) = (method, size)
    errors = ErrorTable(records.map(\.errors))
    hits = HitTable(errors: records.map(\.errors), standardErrors: records.map(\.standardErrors))
    oracle = others[.oracle].map { ErrorTable($0.map(\.errors)).rootMeanSquare }
    let pairs = zip(all, others[.obigrad] ?? []).filter {
      !$0.errors.isEmpty && !$1.errors.isEmpty
    }
    efficientHits =
      pairs.isEmpty
      ? nil : HitTable(errors: pairs.map(\.0.errors), standardErrors: pairs.map(\.1.standardErrors))
    let identified = records.filter { $0.rootErrors != nil && $0.rootStandardErrors != nil }
    root = (identified.compactMap(\.rootErrors), identified.compactMap(\.rootStandardErrors))
  }

  /// The share of 95 % intervals that hold the truth.
  var coverage: Double { hits.mean }
  /// The mean over coordinates of |bias| / sd.
  var biasToDeviation: Double { errors.biasToDeviation }
  /// Replications with an estimate.
  var replications: Int { records.count }
  /// Whether a simultaneous band was measured.
  var hasBand: Bool { records.contains { $0.band != nil } }

  private var bands: [BandRecord]? {
    let bands = records.compactMap(\.band)
    return bands.isEmpty ? nil : bands
  }

  private func bandHits(_ limit: (BandRecord) -> Double) -> HitTable? {
    bands.map { HitTable($0.map { [$0.largestError <= limit($0)] }) }
  }

  private static func share(_ hits: [Bool]) -> Double? {
    hits.isEmpty ? nil : HitTable([hits]).mean
  }

  private func ofRoot(_ value: (ErrorTable) -> Double) -> Double? {
    root.errors.isEmpty ? nil : value(ErrorTable(root.errors))
  }

  func encode(to encoder: any Encoder) throws {
    try (Self.columns + Self.shared).encode(self, to: encoder)
  }
}

extension CoverageSummary {
  private static let critical = NormalDistribution.quantile(0.975)

  /// Columns of the CSV file and of JSON that say which row it is.
  private static var shared: [Column<Self>] {
    [
      .init(nil, csv: "n", json: "size") { Double($0.size) },
      .init(nil, csv: "method", json: "method", text: { $0.method.rawValue }),
    ]
  }

  /// Every figure, by its name in the CSV file and in JSON.
  private static var columns: [Column<Self>] {
    func column(_ csv: String, _ json: String, _ value: @escaping (Self) -> Double?) -> Column<Self>
    {
      .init(nil, csv: csv, json: json) { value($0) }
    }
    return [
      column("replications", "replications") { Double($0.replications) },
      column("bias", "bias") { $0.errors.bias },
      column("sd", "deviation") { $0.errors.deviation },
      column("rmse", "rootMeanSquare") { $0.errors.rootMeanSquare },
      column("rmse_se", "rootMeanSquareError") { $0.errors.rootMeanSquareError },
      column("rmse_to_oracle", "relativeRootMeanSquare") { $0.relativeRootMeanSquare },
      column("bias_to_sd", "biasToDeviation", \.biasToDeviation),
      column("coverage", "coverage", \.coverage),
      column("coverage_se", "coverageError") { $0.hits.standardError },
      column("coverage_min", "leastCoverage") { $0.hits.range?.lowerBound },
      column("coverage_max", "largestCoverage") { $0.hits.range?.upperBound },
      column("coverage_efficient_length", "efficientLengthCoverage") { $0.efficientHits?.mean },
      column("length", "length", \.length),
      column("joint_coverage", "jointCoverage", \.jointCoverage),
      column("size_at_root", "stationarityRejection", \.stationarityRejection),
      column("slope_error", "slopeError", \.slopeError),
      column("root_replications", "root.replications") { row in
        row.ofRoot { _ in Double(row.root.errors.count) }
      },
      column("root_bias", "root.bias") { $0.ofRoot(\.bias) },
      column("root_rmse", "root.rootMeanSquare") { $0.ofRoot(\.rootMeanSquare) },
      column("root_coverage", "root.coverage", \.rootCoverage),
      column("band_coverage", "band.coverage") { $0.bandHits(\.criticalValue)?.mean },
      column("band_coverage_se", "band.coverageError") {
        $0.bandHits(\.criticalValue)?.standardError
      },
      column("band_coverage_pointwise", "band.pointwiseCoverage") {
        $0.bandHits { _ in critical }?.mean
      },
      column("band_critical_value", "band.meanCriticalValue") {
        $0.bands?.map(\.criticalValue).mean
      },
    ]
  }

  /// The columns of the CSV file.
  static var file: [Column<Self>] { shared + columns }

  private var relativeRootMeanSquare: Double? { oracle.map { errors.rootMeanSquare / $0 } }
  /// The mean length of an interval.
  private var length: Double { 2 * Self.critical * records.flatMap(\.standardErrors).mean }
  /// How often the joint test at 5 % accepts the true gradient.
  private var jointCoverage: Double? {
    Self.share(records.compactMap { $0.truthPValue.map { $0 >= 0.05 } })
  }
  /// How often it rejects a zero gradient at ω*.
  private var stationarityRejection: Double? {
    Self.share(records.compactMap { $0.stationarityPValue.map { $0 < 0.05 } })
  }
  /// The root of E‖ĵ − j‖² of the nuisances.
  private var slopeError: Double? {
    let errors = records.compactMap(\.slopeError)
    return errors.isEmpty ? nil : max(0, errors.mean).squareRoot()
  }
  private var rootCoverage: Double? {
    ofRoot { _ in HitTable(errors: root.errors, standardErrors: root.standardErrors).mean }
  }

  // MARK: Tables for the terminal

  static var gradientTable: [Column<Self>] {
    [
      .init("gradient", text: \.method.title), .init("bias", .fixed(4)) { $0.errors.bias },
      .init("sd", .fixed(4)) { $0.errors.deviation },
      .init("RMSE (MC se)") {
        both($0.errors.rootMeanSquare, $0.errors.rootMeanSquareError, .fixed(4))
      }, .init("/ oracle", .fixed(2), \.relativeRootMeanSquare),
      .init("|bias|/sd", .fixed(2), \.biasToDeviation),
      .init("coverage (MC se)") { both($0.coverage, $0.hits.standardError) },
      .init("coordinates") { row in
        row.hits.range.map {
          "\(NumberFormat.fixed(3).text($0.lowerBound))–\(NumberFormat.fixed(3).text($0.upperBound))"
        } ?? "—"
      }, .init("at OBiGrad's length", .fixed(3)) { $0.efficientHits?.mean },
      .init("length", .fixed(4), \.length),
    ]
  }

  static var inferenceTable: [Column<Self>] {
    [
      .init("tests, root, nuisances", text: \.method.title),
      .init("joint coverage", .fixed(3), \.jointCoverage),
      .init("size at ω*", .fixed(3), \.stationarityRejection),
      .init("root bias", .fixed(4)) { $0.ofRoot(\.bias) },
      .init("root RMSE", .fixed(4)) { $0.ofRoot(\.rootMeanSquare) },
      .init("root coverage", .fixed(3), \.rootCoverage), .init("‖ĵ − j‖", .fixed(4), \.slopeError),
    ]
  }

  static var bandTable: [Column<Self>] {
    [
      .init("simultaneous band", text: \.method.title),
      .init("coverage (MC se)") { row in
        row.bandHits(\.criticalValue).map { both($0.mean, $0.standardError) } ?? "—"
      },
      .init("with pointwise intervals", .fixed(3)) { $0.bandHits { _ in critical }?.mean },
      .init("critical value", .fixed(3)) { $0.bands?.map(\.criticalValue).mean },
    ]
  }

  private static func both(
    _ value: Double, _ error: Double, _ format: NumberFormat = .fixed(3)
  ) -> String { "\(format.text(value)) (\(format.text(error)))" }
}
