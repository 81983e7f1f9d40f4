import Autodiff

/// An estimate of d numbers with all that is needed for inference about them.
///
/// It is asymptotically linear: value − truth ≈ Σₛ meanᵢ ψₛᵢ over independent samples s, where the
/// influence rows ψₛᵢ are kept. So variances, tests and bands follow from it, and functions of
/// estimates are estimates with the right covariance, whether they come from the same units or not.
///
///     let mean = try Estimate(
///       value: x.mean(alongAxis: 0), names: ["height", "weight"],
///       influence: [InfluenceRows(x, sample: SampleIdentity(fingerprint: [x]))])
///     print(mean.summary())
///
/// An estimate is a constant of every transform.
public struct Estimate: Sendable {
  /// The estimate θ̂, [d].
  public let value: Tensor

  /// A name for each coordinate.
  public let names: [String]

  /// The influence rows of each sample, no sample twice.
  public let influence: [InfluenceRows]

  /// The number of coordinates d.
  public var count: Int { names.count }

  /// Creates an estimate from its value and influence rows.
  ///
  /// - Parameters:
  ///   - value: [d].
  ///   - names: A name for each coordinate.
  ///   - influence: Rows [n, d] of each sample; rows of the same sample are added.
  /// - Throws: `InferenceError` for no coordinate, another number of names and values that are not
  ///   finite.
  /// - Precondition: `value` is a floating-point vector, there is a sample, and all rows have d
  ///   columns.
  public init(
    value: Tensor, names: [String], influence: [InfluenceRows]
  ) throws(InferenceError) {
    guard value.rank == 1, value.scalarType.isFloatingPoint else {
      stop(
        "Estimate.init",
        "expected a floating-point vector [coordinates], found \(value.scalarType) "
          + "of shape \(value.shape). Use flattened(); reshape a scalar to [1]")
    }
    guard !influence.isEmpty else {
      stop("Estimate.init", "expected influence rows of at least one sample, found none. Give them")
    }
    let count = value.elementCount
    for part in influence where part.rows.shape[1] != count {
      stop(
        "Estimate.init",
        "expected a column of influence rows for each of the \(count) coordinates, "
          + "found rows of shape \(part.rows.shape). Give a row for each unit")
    }
    guard count > 0 else { throw .noCoordinates }
    guard names.count == count else { throw .nameCount(expected: count, found: names.count) }
    let elements = value.scalars
    let nonFinite = names.indices.filter { !elements[$0].isFinite }
    guard nonFinite.isEmpty else {
      throw .nonFiniteValues(coordinates: nonFinite.map { names[$0] })
    }
    self.init(
      checked: value.cast(to: .float64), names,
      influence.reduce(into: []) { Self.merge($1, into: &$0, "Estimate.init") })
  }

  /// Takes over parts that fit each other.
  init(checked value: Tensor, _ names: [String], _ influence: [InfluenceRows]) {
    self.value = value
    self.names = names
    self.influence = influence
  }

  /// Adds a sample's rows to those of the same sample, or appends them.
  static func merge(
    _ part: InfluenceRows, into influence: inout [InfluenceRows], _ operation: String
  ) {
    guard let position = influence.firstIndex(where: { $0.sample == part.sample }) else {
      influence.append(part)
      return
    }
    influence[position].requireAligned(with: part, operation)
    influence[position] = influence[position].adding(part)
  }

  // MARK: Variance

  /// The covariance of the estimate, [d, d].
  ///
  /// Σₛ Gₛ/(Gₛ − 1) Σ_g s_g s_gᵀ / nₛ², where s_g is the sum of the centred rows of cluster g; for
  /// clusters of one row that is the sample covariance of the rows (with n − 1) over n.
  public var covariance: Tensor {
    influence.reduce(Tensor.zeros([count, count])) { $0 + $1.covariance }
  }

  /// The square roots of the diagonal of `covariance`, [d], at a cost of O(n d).
  public var standardErrors: Tensor {
    sqrt(influence.reduce(Tensor.zeros([count])) { $0 + $1.variance })
  }
}

/// Stops unless `level` is a probability between 0 and 1.
func requireLevel(_ level: Double, _ operation: String) {
  guard level > 0, level < 1 else {
    stop(operation, "expected a level between 0 and 1, found \(level). Write 0.95 for 95 %")
  }
}

extension Estimate {
  /// θ̂ − θ₀, or θ̂ without a null.
  func difference(from null: Tensor?, _ operation: String) -> Tensor {
    guard let null else { return value }
    guard null.shape == value.shape else {
      stop(
        operation,
        "expected a null of shape \(value.shape), found \(null.shape). Give a value for "
          + "each coordinate")
    }
    return value - null.cast(to: .float64)
  }
}
