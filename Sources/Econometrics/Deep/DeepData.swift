import Autodiff

/// Observations of a nonlinear problem, one row each.
struct DeepSample: Sendable {
  /// What the structural function is a function of: endogenous and exogenous variables, [n, p].
  let treatments: Tensor
  /// Instruments and exogenous variables, [n, q].
  let instruments: Tensor
  /// [n, 1].
  let outcomes: Tensor

  var count: Int { outcomes.shape[0] }

  func rows(_ indices: Tensor) -> DeepSample {
    DeepSample(
      treatments: treatments.gathering(indices, alongAxis: 0),
      instruments: instruments.gathering(indices, alongAxis: 0),
      outcomes: outcomes.gathering(indices, alongAxis: 0))
  }
}

/// A regression as networks see it: standardised float32 tensors, split in two samples.
struct DeepData: Sendable {
  /// The arguments of the structural function, endogenous ones first.
  let treatments: [Variable]
  let first: DeepSample
  let second: DeepSample
  /// Observations of neither, for intervals; nil for none.
  let unseen: DeepSample?
  /// All observations, without those of another sample.
  let all: DeepSample
  let treatmentScales: [Standardization]
  let outcomeScale: Standardization

  /// - Parameters:
  ///   - heldOut: The share of rows that nothing is learned from.
  ///   - other: A sample of the same population to take in their place.
  init(
    _ model: InstrumentalModel, heldOut: Double, unseen other: InstrumentalModel?,
    _ generator: PhiloxGenerator
  ) {
    func columns(_ model: InstrumentalModel) -> [[Variable]] {
      [model.endogenous, model.instruments].map { $0 + model.varyingExogenous } + [[model.outcome]]
    }
    let scales = columns(model).map { $0.map { Standardization($0.column) } }
    func sample(_ model: InstrumentalModel) -> DeepSample {
      let parts = zip(columns(model), scales).map { Self.matrix($0.map(\.column), $1) }
      return DeepSample(treatments: parts[0], instruments: parts[1], outcomes: parts[2])
    }
    treatments = columns(model)[0]
    (treatmentScales, outcomeScale) = (scales[0], scales[2][0])
    all = sample(model)
    var generator = generator
    let count = model.observationCount
    let order = Tensor.permutation(count, using: &generator)
    let learned = count - Int(heldOut * Double(count))
    first = all.rows(order[0..<learned / 2])
    second = all.rows(order[learned / 2..<learned])
    unseen = other.map(sample) ?? (learned < count ? all.rows(order[learned..<count]) : nil)
  }

  /// Standardised rows of treatments, given as columns in the units of the data.
  func treatments(_ columns: [[Double]]) -> Tensor {
    Self.matrix(columns.map { Tensor($0) }, treatmentScales)
  }

  /// A prediction in the units of the outcome.
  func outcomes(_ prediction: Tensor) -> [Double] {
    prediction.scalars.map { outcomeScale.center + outcomeScale.scale * $0 }
  }

  private static func matrix(_ columns: [Tensor], _ scales: [Standardization]) -> Tensor {
    .stacked(zip(columns, scales).map { $1($0) }, alongAxis: 1).cast(to: .float32)
  }
}
