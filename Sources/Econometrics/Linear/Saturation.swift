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
  private var directions: [(unit: Int, vector: Tensor)] = []
  private let isClustered: Bool

  /// - Parameter basis: Orthonormal columns that span the regressors, [n, p].
  init(_ basis: Tensor, in model: InstrumentalModel) throws(ModelError) {
    isClustered = model.clusters != nil
    guard basis.shape[1] > 0 else { return }
    let totals = model.unitSums(square(basis).sum(alongAxis: 1, keepingDimension: true)).scalars
    // The leverages of a unit add up to its total.
    for unit in totals.indices where totals[unit] >= Leverage.limit {
      let rows = model.clusters.map { c in c.indices.filter { c[$0] == unit } } ?? [unit]
      let own = basis.gathering(Tensor(indices: rows), alongAxis: 0)
      guard let (leverages, vectors) = try? symmetricEigen(matmul(own, own, transposeA: true))
      else { throw .notFinite }
      for (index, leverage) in leverages.scalars.enumerated() where leverage >= Leverage.limit {
        directions.append((unit, vectors[0..., index]))
      }
    }
  }

  /// Why a robust variance in some directions means nothing, or nil.
  ///
  /// - Parameters:
  ///   - subject: What has no robust variance, as the subject of a sentence.
  ///   - weights: Rows in the coordinates of the basis, [k, p]: the estimates are their products with
  ///     the coordinates of the outcome.
  func reason(_ subject: String, restingOn weights: Tensor) -> String? {
    let limits = Self.share * square(weights).sum(alongAxis: 1)
    let units = Set(
      directions.filter { (square(matmul(weights, $0.vector)) - limits).max().scalar > 0 }
        .map(\.unit))
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

extension InstrumentalModel {
  /// Why the residuals of regressions on the exogenous variables say nothing of their coefficients'
  /// errors: a row or cluster that determines some of them alone; nil if there is none.
  func exogenousLeverageReason() throws(ModelError) -> String? {
    try Saturation(exogenousQR.basis, in: self)
      .reason("a coefficient of an exogenous variable", restingOn: exogenousQR.coefficientWeights)
  }
}
