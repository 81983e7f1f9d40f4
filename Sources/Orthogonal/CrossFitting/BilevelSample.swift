import Autodiff
import Bilevel
import Inference
import Solvers

/// What a bilevel problem is estimated from: one sample that both losses see, or one for each.
public struct BilevelSample<
  InnerLabels: TensorTree & Sendable, OuterLabels: TensorTree & Sendable
>: Sendable {
  /// What the inner loss sees.
  public let inner: FunctionalSample<InnerLabels>
  /// What the outer loss sees.
  public let outer: FunctionalSample<OuterLabels>
  /// Whether the rows of both are the same units.
  public let isOneSample: Bool
  /// The group of every row, nil where all rows are independent.
  ///
  /// Rows of different groups are.
  public let groups: [Int]?

  /// Two independent samples, in which the inputs may have different distributions.
  ///
  /// The adjoint is fitted with its quadratic part on the inner and its linear part on the outer
  /// sample, which finds the density ratio of the inputs along the way: none need be known.
  public init(inner: FunctionalSample<InnerLabels>, outer: FunctionalSample<OuterLabels>) {
    guard inner.inputs.shape[1] == outer.inputs.shape[1] else {
      stop(
        "BilevelSample",
        "the samples have \(inner.inputs.shape[1]) and \(outer.inputs.shape[1]) input columns")
    }
    (self.inner, self.outer, isOneSample, groups) = (inner, outer, false, nil)
  }

  /// One sample.
  ///
  /// - Parameter groups: The group of every row; nil where all rows are independent.
  public init(_ sample: FunctionalSample<InnerLabels>, groups: [Int]? = nil)
  where InnerLabels == OuterLabels {
    guard groups.map({ $0.count == sample.count }) ?? true else {
      stop(
        "BilevelSample",
        "there are \(groups?.count ?? 0) groups for \(sample.count) rows; give one for each")
    }
    (inner, outer, isOneSample, self.groups) = (sample, sample, true, groups)
  }

  /// Folds of the inner and of the outer sample.
  func folds(
    _ plan: CrossFitting, _ repetition: Int, _ generator: PhiloxGenerator
  ) throws(SolverError) -> (inner: Folds, outer: Folds) {
    var draws = generator.split(key: 0)
    let inner = try plan.folds(ofRows: self.inner.count, groups: groups, repetition, using: &draws)
    if !plan.allowsDuplicates { try inner.requireApart(self.inner.columns) }
    if isOneSample { return (inner, inner) }
    var outerDraws = generator.split(key: 1)
    let outer = try Folds(inner.count, ofRows: self.outer.count, using: &outerDraws)
    if !plan.allowsDuplicates { try outer.requireApart(self.outer.columns) }
    return (inner, outer)
  }

  /// Stops where one sample was given as two: its rows would score nuisances that were fitted on them.
  func requireTwo(_ operation: String) {
    let description = description
    guard !isOneSample, description.inner == description.outer else { return }
    stop(
      operation,
      "the inner and the outer sample are the same rows; give them once: BilevelSample(sample)")
  }

  func requireFinite() throws(SolverError) {
    for type in [inner.inputs.scalarType, outer.inputs.scalarType] where type != .float64 {
      stop(
        "OBiGrad",
        "expected float64 inputs, found \(type): what is inferred are small differences. Cast "
          + "inputs, labels, weights and ω to .float64")
    }
    try inner.requireFinite(isOneSample ? "sample" : "inner sample")
    if !isOneSample { try outer.requireFinite("outer sample") }
  }

  /// What fits remember of the sample.
  var description: SampleDescription {
    SampleDescription(
      innerWeights: inner.relativeWeights, outerWeights: outer.relativeWeights,
      inner: SampleIdentity(fingerprint: [inner.columns]),
      outer: SampleIdentity(fingerprint: [outer.columns]), isOneSample: isOneSample, groups: groups)
  }
}

/// What fits remember of a sample.
struct SampleDescription: Sendable {
  /// The weight of every row relative to their mean, [n].
  let innerWeights: Tensor
  let outerWeights: Tensor
  let inner: SampleIdentity
  let outer: SampleIdentity
  let isOneSample: Bool
  let groups: [Int]?
}

/// Training and held-out rows of one fold.
struct FoldData<
  InnerLabels: TensorTree & Sendable, OuterLabels: TensorTree & Sendable
>: Sendable {
  let training: (inner: FunctionalSample<InnerLabels>, outer: FunctionalSample<OuterLabels>)
  /// Without weights.
  let held: (inner: FunctionalSample<InnerLabels>, outer: FunctionalSample<OuterLabels>)
  /// Weights of the held-out rows of the outer sample, of any sum; nil for equal ones.
  let heldWeights: Tensor?
  let isOneSample: Bool
}

/// The values of held-out rows as functions of ω, whose sum of means estimates F(ω).
struct DebiasedRows<Outer: TensorTree>: Sendable {
  /// A shift of the nuisances at held-out rows, for checks of orthogonality: added to h at inner and
  /// outer rows and to a at inner rows.
  struct Shift {
    let innerPrediction: Tensor
    let outerPrediction: Tensor
    let adjoint: Tensor
  }

  /// ℓ_out(ω, h, o), [k], and aᵀ ∂ᵥℓ_in(ω, h, o), [n]; nil for a plug-in.
  let values: @Sendable (Outer, Shift?) throws(SolverError) -> (outer: Tensor, inner: Tensor?)
  /// Inputs of the held-out rows.
  let inputs: (inner: Tensor, outer: Tensor)
  let outputCount: Int
}

extension FunctionalSample {
  /// All columns beside each other, [n, c], float64.
  var columns: Tensor {
    let parts = [inputs] + labels.tensors + (weights.map { [$0] } ?? [])
    return .concatenated(
      parts.map { stopGradient($0).cast(to: .float64).reshaped(to: [count, -1]) }, alongAxis: 1)
  }

  /// Weights of mean 1, [n].
  var relativeWeights: Tensor {
    weights.map { $0 * Double(count) } ?? .ones([count], inputs.scalarType)
  }

  /// The rows at indices without their weights, which may all be zero there.
  func unweightedRows(_ indices: Tensor) -> FunctionalSample {
    FunctionalSample(inputs: inputs, labels: labels).rows(indices)
  }

  func requireFinite(_ what: String) throws(SolverError) {
    try stopGradient(inputs).requireFiniteRows("inputs of the \(what)")
    for (tensor, path) in zip(labels.tensors, labels.tensorPaths) {
      try stopGradient(tensor).requireFiniteRows(
        "labels\(path.isEmpty ? "" : " \(path)") of the \(what)")
    }
  }
}
