import ExampleSupport
import Inference

/// What the replications of one sample size say about one method.
///
/// Errors are of the gradient at the evaluation point unless they are of the root; a norm is
/// Euclidean over coordinates, and means of coverage are over coordinates too.
struct CoverageSummary: Codable, Sendable {
  let method: StudyMethod
  /// Rows of a sample, n.
  let size: Int
  /// Replications with an estimate.
  let replications: Int
  /// The norm of the mean error.
  let bias: Double
  /// The root of the summed variances of the errors.
  let deviation: Double
  /// The root of the mean squared norm of the error, with its Monte Carlo standard error.
  let rootMeanSquare: Double
  let rootMeanSquareError: Double
  /// That of the oracle in the same study is 1.
  let relativeRootMeanSquare: Double?
  /// The mean over coordinates of |bias| / sd.
  let biasToDeviation: Double
  /// The share of 95 % intervals that hold the truth, its Monte Carlo standard error, and the least
  /// and largest share of a coordinate.
  let coverage: Double
  let coverageError: Double
  let leastCoverage: Double
  let largestCoverage: Double
  /// The same of intervals around the estimate as long as those of the orthogonal method.
  let efficientLengthCoverage: Double?
  /// The mean length of an interval.
  let length: Double
  /// How often the joint test at 5 % accepts the true gradient.
  let jointCoverage: Double?
  /// How often it rejects a zero gradient at ω*.
  let stationarityRejection: Double?
  /// The root of E‖ĵ − j‖² of the nuisances.
  let slopeError: Double?
  /// The root, over the replications in which it is identified.
  let root: Root?
  /// The simultaneous band.
  let band: Band?

  struct Root: Codable, Sendable {
    let replications: Int
    let bias: Double
    let rootMeanSquare: Double
    let coverage: Double
  }

  struct Band: Codable, Sendable {
    /// How often the band holds all coordinates at all points.
    let coverage: Double
    let coverageError: Double
    /// How often pointwise intervals do.
    let pointwiseCoverage: Double
    let meanCriticalValue: Double
  }
}

extension CoverageSummary {
  private static let critical = NormalDistribution.quantile(0.975)

  /// The summaries of all methods at one size, in the order of the specification.
  static func summaries(
    of replications: [CoverageReplication], size: Int, methods: [StudyMethod]
  ) -> [CoverageSummary] {
    let rows = replications.filter { $0.task.size == size }
    func records(_ method: StudyMethod) -> [MethodRecord]? {
      methods.firstIndex(of: method).map { position in rows.map { $0.methods[position] } }
    }
    let efficient = records(.obigrad)
    let oracle = records(.oracle).map { ErrorTable($0.map(\.errors)).rootMeanSquare }
    return methods.compactMap { method in
      records(method).flatMap {
        CoverageSummary($0, of: method, size: size, efficient: efficient, oracle: oracle)
      }
    }
  }

  /// Nil where there is no estimate at all.
  private init?(
    _ records: [MethodRecord], of method: StudyMethod, size: Int, efficient: [MethodRecord]?,
    oracle: Double?
  ) {
    let good = records.filter { !$0.errors.isEmpty }
    guard !good.isEmpty else { return nil }
    let errors = ErrorTable(good.map(\.errors))
    self.method = method
    self.size = size
    replications = good.count
    bias = errors.bias
    deviation = errors.deviation
    rootMeanSquare = errors.rootMeanSquare
    rootMeanSquareError = errors.rootMeanSquareError
    relativeRootMeanSquare = oracle.map { errors.rootMeanSquare / $0 }
    biasToDeviation = errors.biasToDeviation
    let hits = HitTable(good.map { Self.hits($0.errors, $0.standardErrors) })
    coverage = hits.mean
    coverageError = hits.standardError
    (leastCoverage, largestCoverage) = hits.range
    efficientLengthCoverage = efficient.flatMap { efficient in
      let pairs = zip(records, efficient).filter { !$0.errors.isEmpty && !$1.errors.isEmpty }
      return pairs.isEmpty
        ? nil : HitTable(pairs.map { Self.hits($0.errors, $1.standardErrors) }).mean
    }
    let errorsOfLength = good.flatMap(\.standardErrors)
    length = 2 * Self.critical * errorsOfLength.reduce(0, +) / Double(errorsOfLength.count)
    jointCoverage = Self.share(good.compactMap { $0.truthPValue.map { $0 >= 0.05 } })
    stationarityRejection = Self.share(good.compactMap { $0.stationarityPValue.map { $0 < 0.05 } })
    let slopeErrors = good.compactMap(\.slopeError)
    slopeError =
      slopeErrors.isEmpty
      ? nil : max(0, slopeErrors.reduce(0, +) / Double(slopeErrors.count)).squareRoot()
    root = Root(good)
    band = Band(good.compactMap(\.band))
  }

  fileprivate static func hits(_ errors: [Double], _ standardErrors: [Double]) -> [Bool] {
    zip(errors, standardErrors).map { $0.magnitude <= critical * $1 }
  }

  fileprivate static func share(_ hits: [Bool]) -> Double? {
    hits.isEmpty ? nil : Double(hits.count { $0 }) / Double(hits.count)
  }
}

extension CoverageSummary.Root {
  fileprivate init?(_ records: [MethodRecord]) {
    let pairs = records.compactMap { record in
      record.rootErrors.flatMap { errors in record.rootStandardErrors.map { (errors, $0) } }
    }
    guard !pairs.isEmpty else { return nil }
    let errors = ErrorTable(pairs.map(\.0))
    replications = pairs.count
    bias = errors.bias
    rootMeanSquare = errors.rootMeanSquare
    coverage = HitTable(pairs.map { CoverageSummary.hits($0, $1) }).mean
  }
}

extension CoverageSummary.Band {
  fileprivate init?(_ records: [BandRecord]) {
    guard !records.isEmpty else { return nil }
    let critical = NormalDistribution.quantile(0.975)
    let hits = HitTable(records.map { [$0.largestError <= $0.criticalValue] })
    coverage = hits.mean
    coverageError = hits.standardError
    pointwiseCoverage = HitTable(records.map { [$0.largestError <= critical] }).mean
    meanCriticalValue =
      records.reduce(0) { $0 + $1.criticalValue } / Double(records.count)
  }
}
