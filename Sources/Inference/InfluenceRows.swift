import Autodiff

/// The part of an estimate's error that one sample contributes, unit by unit.
///
/// An asymptotically linear estimate differs from the truth by Σₛ meanᵢ ψₛᵢ, up to terms that vanish
/// faster, where ψₛᵢ depends on unit i of sample s alone; the ψₛᵢ are the influence rows. Rows that
/// belong to one cluster (a household, a trajectory) may depend on each other in any way.
public struct InfluenceRows: Sendable {
  /// The rows less their mean, [n, d].
  ///
  /// A column that is constant to rounding is exactly zero.
  public let rows: Tensor

  /// Which units the rows belong to.
  public let sample: SampleIdentity

  /// The cluster of each row, numbered from 0 in order of first appearance; nil where the rows are
  /// independent.
  public let clusters: [Int]?

  /// The number of independent units G: clusters, or rows where there are none.
  public let unitCount: Int

  /// The number of rows n.
  public var count: Int { rows.shape[0] }

  /// Takes over influence rows, centred or not.
  ///
  /// - Parameters:
  ///   - rows: [n, d], a constant of every transform; float32 is converted to float64.
  ///   - sample: The same for all estimates from these units, and for no others.
  ///   - clusters: A label for each row; rows of different labels are independent.
  /// - Throws: `InferenceError` for elements that are not finite and fewer than two units.
  /// - Precondition: `rows` is a floating-point matrix, with as many rows as `clusters`.
  public init(
    _ rows: Tensor, sample: SampleIdentity, clusters: [Int]? = nil
  ) throws(InferenceError) {
    guard rows.rank == 2, rows.scalarType.isFloatingPoint else {
      stop(
        "InfluenceRows.init",
        "expected a floating-point matrix [rows, coordinates], found "
          + "\(rows.scalarType) of shape \(rows.shape). Reshape a single coordinate to [n, 1]")
    }
    let count = rows.shape[0]
    if let clusters, clusters.count != count {
      stop(
        "InfluenceRows.init",
        "expected a cluster for each of the \(count) rows, found "
          + "\(clusters.count) clusters. Give one label per row")
    }
    guard rows.shape[1] > 0 else { throw .noCoordinates }
    // Reading a number stops a program that would lose the derivative of the rows.
    _ = rows.slice(0..<min(1, count), alongAxis: 0).scalars
    guard count >= 2 else { throw .tooFewUnits(found: count, areClusters: false) }
    guard rows.isFinite else { throw Self.nonFinite(rows) }
    let numbers = clusters.map(Self.numbered)
    let unitCount = numbers.map { ($0.max() ?? 0) + 1 } ?? count
    guard unitCount >= 2 else { throw .tooFewUnits(found: unitCount, areClusters: true) }
    self.init(
      centred: Self.centred(rows.cast(to: .float64)), sample: sample, clusters: numbers,
      unitCount: unitCount)
  }

  private init(centred rows: Tensor, sample: SampleIdentity, clusters: [Int]?, unitCount: Int) {
    self.rows = rows
    self.sample = sample
    self.clusters = clusters
    self.unitCount = unitCount
  }

  /// A linear function of the rows, with the same units.
  func map(_ transform: (Tensor) -> Tensor) -> InfluenceRows {
    InfluenceRows(
      centred: transform(rows), sample: sample, clusters: clusters, unitCount: unitCount)
  }

  /// Mψ for each row ψ, with the same units; where all that is added cancels, exactly zero.
  func mapped(by matrix: Tensor) -> InfluenceRows {
    let rounding = matmul(Self.rounding * abs(matrix), rows.normInfinity(alongAxes: [0]))
    return map { matmul($0, matrix, transposeB: true).zeroedColumns(upTo: rounding) }
  }

  /// The sum of the rows of the same units; where they cancel, exactly zero.
  func adding(_ other: InfluenceRows) -> InfluenceRows {
    let rounding =
      Self.rounding * rows.normInfinity(alongAxes: [0])
      + Self.rounding * other.rows.normInfinity(alongAxes: [0])
    return map { ($0 + other.rows).zeroedColumns(upTo: rounding) }
  }

  // MARK: Moments

  /// The sum of the rows of each independent unit, S, [G, d]; the rows themselves without clusters.
  ///
  /// With `scale` the one definition of variance: the covariance of the estimate is scale² SᵀS. Where
  /// the rows of every cluster cancel, the sums are exactly zero.
  var unitSums: Tensor {
    guard let clusters else { return rows }
    let index = Tensor(indices: clusters)
    let sums = rows.scatterAdding(to: index, length: unitCount, alongAxis: 0)
    let sizes = abs(rows).scatterAdding(to: index, length: unitCount, alongAxis: 0)
    return sums.zeroedColumns(upTo: Self.rounding * sizes.max(alongAxis: 0))
  }

  /// √(G/(G − 1)) / n.
  var scale: Double {
    (Double(unitCount) / Double(unitCount - 1)).squareRoot() / Double(count)
  }

  /// scale² SᵀS, [d, d].
  var covariance: Tensor {
    let sums = unitSums
    return symmetrized((scale * scale) * matmul(sums, sums, transposeA: true))
  }

  /// The diagonal of `covariance`, without the other elements, [d].
  var variance: Tensor { (scale * scale) * square(unitSums).sum(alongAxis: 0) }

  // MARK: Alignment

  /// Whether both describe the same units in the same order.
  func isAligned(with other: InfluenceRows) -> Bool {
    sample == other.sample && count == other.count && clusters == other.clusters
  }

  /// Stops where one sample has other units in another estimate.
  func requireAligned(with other: InfluenceRows, _ operation: String) {
    guard isAligned(with: other) else {
      stop(
        operation,
        "expected the same rows and clusters wherever a sample has the same identity, "
          + "found \(description) and \(other.description). Give different units different "
          + "identities, and all rows of one sample the same clusters")
    }
  }

  private var description: String {
    "\(count) rows" + (clusters == nil ? " without clusters" : " in \(unitCount) clusters")
  }

  // MARK: Construction

  /// The share of its terms up to which a sum is rounding.
  private static let rounding = 1e-14

  private static func numbered(_ labels: [Int]) -> [Int] {
    var numbers: [Int: Int] = [:]
    return labels.map { label in
      let number = numbers[label] ?? numbers.count
      numbers[label] = number
      return number
    }
  }

  /// A column that does not vary must come out as zero and not as rounding of its mean, whose
  /// standard error would be positive and whose z statistic enormous.
  private static func centred(_ rows: Tensor) -> Tensor {
    (rows - rows.mean(alongAxis: 0))
      .zeroedColumns(upTo: 16 * Double.ulpOfOne * rows.normInfinity(alongAxes: [0]))
  }

  private static func nonFinite(_ rows: Tensor) -> InferenceError {
    let width = rows.shape[1]
    var counts = [Int](repeating: 0, count: width)
    for (position, element) in rows.scalars.enumerated() where !element.isFinite {
      counts[position % width] += 1
    }
    let worst = counts.indices.max { counts[$0] < counts[$1] } ?? 0
    return .nonFiniteRows(coordinate: worst, count: counts[worst], rows: rows.shape[0])
  }
}

extension Tensor {
  /// Columns without an element above a bound, [d], as exact zeros.
  ///
  /// What cancels must not come out as rounding, whose standard error would be positive and whose z
  /// statistic of any size.
  fileprivate func zeroedColumns(upTo bound: Tensor) -> Tensor {
    let isRounding = normInfinity(alongAxes: [0]) .<= bound
    return isRounding.anyTrue
      ? zeroed(where: isRounding.expandingShape(at: 0).broadcast(to: shape)) : self
  }
}
