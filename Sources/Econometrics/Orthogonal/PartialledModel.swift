import Autodiff
import Inference

/// A model whose treatment features and outcome have the exogenous variables taken out linearly.
///
/// With Π and δ the least-squares coefficients of features φ and outcome y on the exogenous W, the
/// residuals φ̃ = φ − ΠᵀW and ỹ = y − δᵀW leave y − φᵀω − Wᵀβ = ỹ − φ̃ᵀω − Wᵀγ with
/// γ = β + Πω − δ: other coordinates for the same model, in which what is learned about φ̃ is what
/// the exogenous variables do not say linearly, and in which W is uncorrelated with all else.
struct PartialledModel {
  /// The features of each endogenous variable.
  let treatments: [TreatmentFeatures]
  /// φ̃ divided by `scales`, [n, d].
  let features: Tensor
  /// The deviations of φ̃.
  let scales: [Double]
  /// ỹ, [n].
  let outcome: Tensor
  /// Π, [p, d].
  let featureCoefficients: Tensor
  /// δ, [p].
  let outcomeCoefficients: Tensor
  /// The exogenous variables, the constant included.
  let exogenous: [Variable]
  /// The identity of the rows.
  let sample: SampleIdentity
  /// Of the exogenous variables.
  private let factorization: PivotedQR
  /// φ and y as they are in the data, [n, d] and [n].
  private let raw: (features: Tensor, outcome: Tensor)

  /// The names of the features.
  var names: [String] { treatments.flatMap(\.names) }

  /// - Throws: `FeatureError`, or `ModelError.collinear` where a feature is a linear combination of
  ///   exogenous variables and other features.
  init(_ model: InstrumentalModel, _ kind: StructuralFeatures) throws {
    let treatments = try model.endogenous.map { try TreatmentFeatures(kind, of: $0) }
    let names = treatments.flatMap(\.names)
    let columns = zip(treatments, model.endogenous).flatMap { $0.columns($1.values) }
    let exogenous = model.exogenous
    let all = PivotedQR(exogenous.map(\.column) + columns)
    if let group = all.dependencies.first {
      throw ModelError.collinear(names: group.map { (exogenous.map(\.name) + names)[$0] })
    }
    raw = (.stacked(columns, alongAxis: 1), model.outcome.column)
    sample = SampleIdentity(
      fingerprint: [raw.features, raw.outcome] + (model.instruments + exogenous).map(\.column))
    factorization = model.exogenousQR
    let residuals = columns.map { model.exogenousQR.residual($0) }
    let scales = residuals.map { sqrt(square($0).mean()).scalar }
    self.treatments = treatments
    self.exogenous = exogenous
    self.scales = scales
    features = .stacked(zip(residuals, scales).map { $0 / $1 }, alongAxis: 1)
    outcome = model.exogenousQR.residual(raw.outcome)
    featureCoefficients = .stacked(
      columns.map { model.exogenousQR.coefficients($0) }, alongAxis: 1)
    outcomeCoefficients = model.exogenousQR.coefficients(raw.outcome)
  }

  /// n.
  var rowCount: Int { outcome.elementCount }

  // MARK: Back to the coordinates of the data

  /// ω and β, or ω and the mean of g, from the root in ω of scaled features.
  func coefficients(_ root: Estimate, hasSmoothPart: Bool) throws -> Estimate {
    let slopes = try root.mapped(
      by: Tensor.identity(scales.count) / Tensor(scales).expandingShape(at: 1), names: names)
    if hasSmoothPart { return try withMean(slopes) }
    guard !exogenous.isEmpty else { return slopes }
    // In the coordinates (ω, γ) the estimate of γ is 0, uncorrelated with the features.
    let both = try joined(
      slopes, value: .zeros([exogenous.count]), rows: exogenousInfluence(at: root.value),
      names: exogenous.map(\.name))
    let (d, p) = (scales.count, exogenous.count)
    let upper = Tensor.concatenated([.identity(d), .zeros([d, p])], alongAxis: 1)
    let lower = Tensor.concatenated(
      [-featureCoefficients, .identity(p)], alongAxis: 1)
    let mapped = try both.mapped(
      by: .concatenated([upper, lower], alongAxis: 0), names: both.names)
    let shift = Tensor.concatenated([.zeros([d]), outcomeCoefficients], alongAxis: 0)
    return try Estimate(
      value: mapped.value + shift, names: mapped.names, influence: mapped.influence)
  }

  /// The influence rows of γ at ω, [n, p]: n (WᵀW)⁻¹ Wᵢ (ỹᵢ − φ̃ᵢᵀω).
  ///
  /// They have no part of ω's error because W is uncorrelated with φ̃.
  private func exogenousInfluence(at omega: Tensor) -> Tensor {
    let residual = outcome - matmul(features, omega)
    let columns = matmul(factorization.basis, factorization.coefficientWeights, transposeB: true)
    return Double(rowCount) * columns * residual.expandingShape(at: 1)
  }

  /// ω and E[g(W)] = E[y] − E[φ]ᵀω.
  private func withMean(_ slopes: Estimate) throws -> Estimate {
    let residual =
      raw.outcome - matmul(raw.features, slopes.value)
    let means = raw.features.mean(alongAxis: 0)
    let rows =
      residual.expandingShape(at: 1)
      - matmul(slopes.influence[0].rows, means.expandingShape(at: 1))
    return try joined(
      slopes, value: residual.mean().expandingShape(at: 0), rows: rows,
      names: ["mean of g(exogenous)"])
  }

  private func joined(
    _ slopes: Estimate, value: Tensor, rows: Tensor, names: [String]
  ) throws -> Estimate {
    let part = slopes.influence[0]
    return try Estimate(
      value: .concatenated([slopes.value, value], alongAxis: 0), names: slopes.names + names,
      influence: [
        InfluenceRows(
          .concatenated([part.rows, rows], alongAxis: 1), sample: sample, clusters: part.clusters)
      ])
  }
}
