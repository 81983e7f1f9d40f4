import Autodiff
import Bilevel
import Econometrics
import OrthogonalRegression

/// A regression as `DeepFeatureIV` sees it: standardised float32 tensors, split in two samples.
struct DeepProblem {
  let model: InstrumentalModel
  /// The arguments of the structural function, endogenous ones first.
  let treatments: [Variable]
  let first: InstrumentalSample
  let second: InstrumentalSample
  /// Observations of neither, for intervals; nil for none.
  let unseen: InstrumentalSample?
  /// All observations, without those simulated for intervals.
  let all: InstrumentalSample
  let treatmentScales: [Standardizer]
  let outcomeScale: Standardizer

  /// - Parameters:
  ///   - heldOut: The share of rows that nothing is learned from.
  ///   - other: A sample of the same population to take in their place.
  init(
    _ model: InstrumentalModel, heldOut: Double = 0, unseen other: InstrumentalModel? = nil,
    using generator: inout PhiloxGenerator
  ) {
    self.model = model
    treatments = Self.treatments(of: model)
    let treatmentScales = treatments.map { Standardizer($0.values) }
    let instrumentScales = Self.instruments(of: model).map { Standardizer($0.values) }
    let outcomeScale = Standardizer(model.outcome.values)
    func sample(_ model: InstrumentalModel) -> InstrumentalSample {
      InstrumentalSample(
        treatments: Self.matrix(Self.treatments(of: model).map(\.values), treatmentScales),
        instruments: Self.matrix(Self.instruments(of: model).map(\.values), instrumentScales),
        outcomes: Self.matrix([model.outcome.values], [outcomeScale]))
    }
    self.treatmentScales = treatmentScales
    self.outcomeScale = outcomeScale
    all = sample(model)
    let order = Tensor.permutation(model.observationCount, using: &generator)
    let learned = model.observationCount - Int(heldOut * Double(model.observationCount))
    first = all.rows(order[0..<learned / 2])
    second = all.rows(order[learned / 2..<learned])
    if let other {
      unseen = sample(other)
    } else {
      let rest = order[learned..<model.observationCount]
      unseen = rest.elementCount > 0 ? all.rows(rest) : nil
    }
  }

  /// Endogenous variables, then exogenous ones.
  private static func treatments(of model: InstrumentalModel) -> [Variable] {
    model.endogenous + model.varyingExogenous
  }

  /// Instruments, then exogenous variables.
  private static func instruments(of model: InstrumentalModel) -> [Variable] {
    model.instruments + model.varyingExogenous
  }

  /// Standardised rows of treatments, given as columns in the units of the data.
  func treatments(_ columns: [[Double]]) -> Tensor { Self.matrix(columns, treatmentScales) }

  /// A prediction in the units of the outcome.
  func outcomes(_ prediction: Tensor) -> [Double] {
    prediction.scalars.map { outcomeScale.center + outcomeScale.scale * $0 }
  }

  private static func matrix(_ columns: [[Double]], _ scales: [Standardizer]) -> Tensor {
    let standardized = zip(columns, scales).map { column, scale in
      Tensor(column.map { ($0 - scale.center) / scale.scale })
    }
    return Tensor.stacked(standardized, alongAxis: 1).cast(to: .float32)
  }
}

/// Mean and standard deviation of a column; a constant column is only centred.
struct Standardizer {
  let center: Double
  let scale: Double

  init(_ values: [Double]) {
    let column = Tensor(values)
    center = column.mean().scalar
    let deviation = sqrt(column.variance()).scalar
    scale = deviation > 0 ? deviation : 1
  }
}
