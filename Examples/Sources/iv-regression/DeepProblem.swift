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
  /// All observations.
  let all: InstrumentalSample
  let treatmentScales: [Standardizer]
  let outcomeScale: Standardizer

  init(_ model: InstrumentalModel, using generator: inout PhiloxGenerator) {
    self.model = model
    treatments = model.endogenous + model.varyingExogenous
    let instruments = model.instruments + model.varyingExogenous
    treatmentScales = treatments.map { Standardizer($0.values) }
    outcomeScale = Standardizer(model.outcome.values)
    let count = model.observationCount
    all = InstrumentalSample(
      treatments: Self.matrix(treatments.map(\.values), treatmentScales),
      instruments: Self.matrix(
        instruments.map(\.values), instruments.map { Standardizer($0.values) }),
      outcomes: Self.matrix([model.outcome.values], [outcomeScale]))
    let order = Tensor.permutation(count, using: &generator)
    first = all.rows(order[0..<count / 2])
    second = all.rows(order[count / 2..<count])
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
