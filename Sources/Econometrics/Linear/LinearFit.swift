import Autodiff
import Inference

/// How the covariance of the estimates is computed.
public enum CovarianceType: String, Sendable, CaseIterable, Codable {
  /// For errors of equal variance: s² (X̂ᵀX̂)⁻¹ with s² = eᵀe / n.
  case unadjusted

  /// For errors of any variance: (X̂ᵀX̂)⁻¹ X̂ᵀ diag(e²) X̂ (X̂ᵀX̂)⁻¹ (White 1980, HC0); where rows are
  /// clustered, of any dependence within a cluster too: (X̂ᵀX̂)⁻¹ Σ_g X̂_gᵀ e_g e_gᵀ X̂_g (X̂ᵀX̂)⁻¹.
  case robust
}

/// An estimated coefficient and what a normal distribution says of it, as far as it may be shown.
public struct Coefficient: Sendable, Equatable {
  /// The name of the regressor.
  public let name: String
  /// The estimate.
  public let value: Double
  /// The standard error; nil where there is none that means anything.
  public let standardError: Double?
  /// The estimate divided by its standard error.
  public let z: Double?
  /// The two-sided p-value of the hypothesis that the coefficient is 0.
  public let pValue: Double?
  /// The interval.
  public let interval: ClosedRange<Double>?
  /// Why something is nil.
  public let reason: String?
}

/// Estimates of a linear model with their covariance, none of it adjusted for small samples.
public struct LinearFit: Sendable {
  /// The names of the regressors.
  public let names: [String]
  /// The estimated coefficients β.
  public let parameters: [Double]
  /// The covariance matrix of the estimates, [p, p]; NaN where a coefficient has no variance that
  /// means anything.
  public let covariance: Tensor
  /// For each coefficient why it has no standard error, z statistic, p-value or interval.
  ///
  /// The residuals are rounding, or it rests on rows whose error a robust variance cannot see. Nil
  /// where it has them.
  public let unavailableReasons: [String?]
  /// y − X β, [n]; times √w with weights.
  public let residuals: Tensor
  /// 1 − eᵀe / (total sum of squares), or nil if the outcome does not vary.
  ///
  /// The total is about the mean if the constant is in the span of X, about 0 otherwise. With
  /// instruments the figure can be negative.
  public let rSquared: Double?
  /// The length of the residuals that rounding alone can leave.
  let rounding: Double
  /// Why no statistic can be made of the residuals, which are rounding; nil where they are not.
  let exactReason: String?

  /// The square roots of the diagonal of `covariance`; NaN for none.
  public var standardErrors: [Double] {
    names.indices.map { covariance[$0, $0].scalar.squareRoot() }
  }

  /// The index of a regressor.
  public func index(of name: String) -> Int? { names.firstIndex(of: name) }

  /// What may be shown of the coefficients.
  ///
  /// - Parameters:
  ///   - level: Of the intervals.
  ///   - weaknessReason: Why z, p and intervals are withheld, of an instrumented fit that is weakly
  ///     identified.
  public func coefficients(
    level: Double = 0.95, weaknessReason: String? = nil
  ) -> [Coefficient] {
    let quantile = NormalDistribution.quantile(0.5 + level / 2)
    return zip(names, standardErrors).enumerated().map { index, part in
      let (name, error) = part
      let (value, reason) = (parameters[index], unavailableReasons[index] ?? weaknessReason)
      let z = reason == nil ? value / error : nil
      return Coefficient(
        name: name, value: value, standardError: error.isNaN ? nil : error, z: z,
        pValue: z.map(NormalDistribution.twoSidedPValue),
        interval: reason == nil ? value - quantile * error...value + quantile * error : nil,
        reason: reason)
    }
  }

  /// The fitted values at columns by name; the constant needs none, and what is missing counts as 0.
  public func predict(_ columns: [String: [Double]], count: Int) -> [Double] {
    zip(names, parameters).reduce(into: Array(repeating: 0, count: count)) { sums, term in
      let ones = Array(repeating: term.0 == InstrumentalModel.constantName ? 1.0 : 0, count: count)
      for (row, value) in (columns[term.0] ?? ones).enumerated() { sums[row] += term.1 * value }
    }
  }

  /// Estimates β from X̂ᵀ(y − Xβ) = 0, where X̂ is the projection of X on the instruments: two-stage
  /// least squares, and ordinary least squares when X̂ = X.
  ///
  /// - Parameter model: Weighted, for its rows, clusters and weights.
  init(
    _ regressors: [Variable], projected: PivotedQR, outcome: Tensor, in model: InstrumentalModel,
    covariance: CovarianceType
  ) throws(ModelError) {
    let columns = regressors.matrix
    let beta = projected.coefficients(outcome)
    residuals = outcome - matmul(columns, beta)
    let middle: Tensor
    switch covariance {
    case .unadjusted: middle = square(residuals).mean() * .identity(projected.rank)
    case .robust:
      let sums = model.unitSums(projected.basis * residuals.expandingShape(at: 1))
      middle = matmul(sums, sums, transposeA: true)
    }
    let matrix = projected.sandwich(middle)
    guard beta.isFinite, matrix.isFinite else { throw .notFinite }
    names = regressors.map(\.name)
    parameters = beta.scalars
    rounding = Rounding.ofResiduals(outcome, columns, beta, projected)
    rSquared = Self.rSquared(columns, outcome: outcome, residuals: residuals, model)
    let isExact = residuals.norm().scalar <= rounding
    exactReason =
      !isExact
      ? nil
      : rSquared == nil
        ? "the outcome does not vary, and the residuals are rounding"
        : "the regressors reproduce the outcome exactly, and the residuals are rounding"
    var reasons = [String?](repeating: exactReason, count: names.count)
    if !isExact, covariance == .robust {
      reasons = try Self.robustReasons(names, matrix, projected, rounding, model)
    }
    unavailableReasons = reasons
    let shown = Tensor(reasons.map { $0 == nil ? 1 : .nan })
    self.covariance = matrix * shown * shown.expandingShape(at: 1)
  }

  /// Why the robust variance of each coefficient means nothing, or nil.
  private static func robustReasons(
    _ names: [String], _ variances: Tensor, _ projected: PivotedQR, _ rounding: Double,
    _ model: InstrumentalModel
  ) throws(ModelError) -> [String?] {
    let saturation = try Saturation(projected.basis, in: model)
    let weights = projected.coefficientWeights
    let sizes = (square(rounding * weights).sum(alongAxis: 1) / Double(model.observationCount))
      .scalars
    return names.indices.map { index in
      if let reason = saturation.reason(
        "the estimate of \(names[index])", restingOn: weights[index].expandingShape(at: 0))
      {
        return reason
      }
      return variances[index, index].scalar > sizes[index]
        ? nil
        : "the residuals are rounding wherever the estimate of \(names[index]) comes from, so its "
          + "robust variance is too"
    }
  }

  private static func rSquared(
    _ regressors: Tensor, outcome: Tensor, residuals: Tensor, _ model: InstrumentalModel
  ) -> Double? {
    let ones = model.weights.map { sqrt(Tensor($0)) } ?? .ones(like: outcome)
    let width = regressors.shape[1]
    let left = PivotedQR((0..<width).map { regressors[0..., $0] }).residual(ones)
    let hasConstant = left.norm().scalar <= 1e-9 * ones.norm().scalar
    let centre = hasConstant ? (dot(outcome, ones) / dot(ones, ones)).scalar : 0
    let total = square(outcome - centre * ones).sum().scalar
    let scale = outcome.normInfinity().scalar
    // A total of the size of rounding errors means an outcome that does not vary.
    guard total > 1e-24 * scale * scale * Double(outcome.elementCount) else { return nil }
    return 1 - square(residuals).sum().scalar / total
  }
}
