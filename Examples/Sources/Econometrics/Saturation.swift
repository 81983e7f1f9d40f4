import Autodiff

/// The leverage of one independent unit, a row or a cluster, in a regression.
public enum Leverage {
  /// The leverage from which a unit determines a direction: its squared residual is then at most
  /// 1 % of its squared error.
  public static let limit = 0.9
}

/// Directions of a regression that one independent unit, a row or a cluster, determines all by itself.
///
/// A row of leverage one is fitted exactly whatever its outcome is. Its residual is 0, so a variance
/// made of squared residuals (HC0 and its relatives, or sums over clusters) says that a coefficient
/// which rests on it has no error. HC2 and HC3 divide that 0 by another one. A cluster does the same
/// in every direction of the regressors that is 0 outside of it. Reference: Chesher and Jewitt, The
/// bias of a heteroskedasticity consistent covariance matrix estimator, *Econometrica* 55 (1987).
struct Saturation {
  /// The share of a coefficient's variance, for errors of equal variance, from which it rests on a
  /// unit.
  private static let share = 1e-6

  /// Unit vectors in the coordinates of the orthonormal basis, with the unit that determines each.
  private let directions: [(unit: Int, vector: [Double])]
  private let isClustered: Bool

  /// - Parameters:
  ///   - basis: Orthonormal columns that span the regressors.
  ///   - clusters: The cluster of every row, from 0; nil where rows are independent.
  init(_ basis: [[Double]], clusters: [Int]?) throws(ModelError) {
    isClustered = clusters != nil
    let width = basis.count
    let rowCount = basis.first?.count ?? 0
    var found: [(unit: Int, vector: [Double])] = []
    func row(_ index: Int) -> [Double] { basis.map { $0[index] } }
    guard let clusters else {
      for index in 0..<rowCount {
        let values = row(index)
        let leverage = dot(values, values)
        guard leverage >= Leverage.limit else { continue }
        found.append((index, values.map { $0 / leverage.squareRoot() }))
      }
      directions = found
      return
    }
    for (cluster, rows) in Dictionary(grouping: 0..<rowCount, by: { clusters[$0] }) {
      let values = rows.map(row)
      let total = values.reduce(0) { $0 + dot($1, $1) }
      guard total >= Leverage.limit else { continue }
      let gram = (0..<width).map { a in
        (0..<width).map { b in values.reduce(0) { $0 + $1[a] * $1[b] } }
      }
      guard let (leverages, vectors) = try? symmetricEigen(Tensor(rows: gram)) else {
        throw .notFinite
      }
      for (index, leverage) in leverages.scalars.enumerated() where leverage >= Leverage.limit {
        found.append((cluster, vectors[0..., index].scalars))
      }
    }
    directions = found.sorted { $0.unit < $1.unit }
  }

  /// Why a robust variance in some directions means nothing, or nil.
  ///
  /// - Parameters:
  ///   - subject: What has no robust variance, as the subject of a sentence.
  ///   - weights: Vectors in the coordinates of the basis: the estimates are their products with the
  ///     coordinates of the outcome.
  func reason(_ subject: String, restingOn weights: [[Double]]) -> String? {
    let units = Set(
      directions.filter { direction in
        weights.contains {
          let part = dot($0, direction.vector)
          return part * part > Self.share * dot($0, $0)
        }
      }.map(\.unit))
    guard let first = units.min() else { return nil }
    let what =
      isClustered
      ? "\(units.count) cluster\(units.count == 1 ? "" : "s") that determine\(units.count == 1 ? "s" : "")"
        + " a direction of the regressors alone (leverage near 1)"
      : units.count == 1
        ? "row \(first + 1) of those used alone (leverage near 1)"
        : "\(units.count) rows alone (leverage near 1; the first is row \(first + 1) of those used)"
    return
      "\(subject) rests on \(what), which the regression fits almost exactly, so that a robust "
      + "variance does not see \(units.count == 1 ? "its" : "their") error"
  }
}
