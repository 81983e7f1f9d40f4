/// Errors of an estimator over replications, [replications][coordinates].
struct ErrorTable {
  private let rows: [[Double]]
  private let means: [Double]

  /// A table; replications without an estimate are left out.
  init(_ rows: [[Double]]) {
    let rows = rows.filter { !$0.isEmpty }
    self.rows = rows
    means = (0..<(rows.first?.count ?? 0)).map { column in
      rows.reduce(0) { $0 + $1[column] } / Double(rows.count)
    }
  }

  /// The norm of the mean error.
  var bias: Double { norm(means) }

  /// The root of the summed variances.
  var deviation: Double { variances.reduce(0, +).squareRoot() }

  /// The root of the mean squared norm.
  var rootMeanSquare: Double { (squares.reduce(0, +) / Double(rows.count)).squareRoot() }

  /// The Monte Carlo standard error of that, by the delta method.
  var rootMeanSquareError: Double {
    let mean = squares.reduce(0, +) / Double(rows.count)
    return variance(squares, mean: mean).squareRoot()
      / Double(rows.count).squareRoot() / (2 * mean.squareRoot())
  }

  /// The mean over coordinates of |bias| / standard deviation.
  var biasToDeviation: Double {
    zip(means, variances).reduce(0) { $0 + $1.0.magnitude / $1.1.squareRoot() }
      / Double(means.count)
  }

  private var squares: [Double] { rows.map { $0.reduce(0) { $0 + $1 * $1 } } }

  private var variances: [Double] {
    means.indices.map { column in variance(rows.map { $0[column] }, mean: means[column]) }
  }

  private func variance(_ values: [Double], mean: Double) -> Double {
    values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
  }

  private func norm(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }
}

/// Whether intervals hold the truth over replications, [replications][coordinates].
struct HitTable {
  private let rows: [[Bool]]

  init(_ rows: [[Bool]]) { self.rows = rows }

  /// The share of all.
  var mean: Double { shares.reduce(0, +) / Double(shares.count) }

  /// Its Monte Carlo standard error: coordinates of one replication depend on each other.
  var standardError: Double {
    let mean = mean
    let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(shares.count - 1)
    return (variance / Double(shares.count)).squareRoot()
  }

  /// The least and the largest share of a coordinate.
  var range: (Double, Double) {
    let columns = (0..<(rows.first?.count ?? 0)).map { column in
      Double(rows.count { $0[column] }) / Double(rows.count)
    }
    return (columns.min() ?? .nan, columns.max() ?? .nan)
  }

  private var shares: [Double] {
    rows.map { row in Double(row.count { $0 }) / Double(row.count) }
  }
}
