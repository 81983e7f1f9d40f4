import ExampleSupport

extension CoverageReport {
  /// All summaries as a table with a line to each size and method.
  var csv: String {
    let columns: [(name: String, value: (CoverageSummary) -> Double?)] = [
      ("replications", { Double($0.replications) }),
      ("bias", \.bias), ("sd", \.deviation), ("rmse", \.rootMeanSquare),
      ("rmse_se", \.rootMeanSquareError), ("rmse_to_oracle", \.relativeRootMeanSquare),
      ("bias_to_sd", \.biasToDeviation), ("coverage", \.coverage),
      ("coverage_se", \.coverageError), ("coverage_min", \.leastCoverage),
      ("coverage_max", \.largestCoverage), ("coverage_efficient_length", \.efficientLengthCoverage),
      ("length", \.length), ("joint_coverage", \.jointCoverage),
      ("size_at_root", \.stationarityRejection),
      ("slope_error", \.slopeError),
      ("root_replications", { $0.root.map { Double($0.replications) } }),
      ("root_bias", { $0.root?.bias }), ("root_rmse", { $0.root?.rootMeanSquare }),
      ("root_coverage", { $0.root?.coverage }), ("band_coverage", { $0.band?.coverage }),
      ("band_coverage_se", { $0.band?.coverageError }),
      ("band_coverage_pointwise", { $0.band?.pointwiseCoverage }),
      ("band_critical_value", { $0.band?.meanCriticalValue }),
    ]
    let header = (["n", "method"] + columns.map(\.name)).joined(separator: ",")
    let lines = summaries.map { row in
      (["\(row.size)", row.method.rawValue]
        + columns.map { column in
          column.value(row).map { $0.isFinite ? Numbers.short($0) : "" } ?? ""
        }).joined(separator: ",")
    }
    return ([header] + lines).joined(separator: "\n") + "\n"
  }
}
