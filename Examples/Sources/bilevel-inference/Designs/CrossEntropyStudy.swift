import Autodiff
import Inference
import InferenceDesigns
import Orthogonal

/// A study of losses that are not quadratic.
struct CrossEntropyStudy: StudyDesign {
  private let design = CrossEntropy()

  var evaluationPoint: Tensor { design.evaluationPoint }
  var stationaryPoint: Tensor? { nil }
  var methods: [StudyMethod] { [.oracle, .obigrad, .plugin] }

  func gradient(at outer: Tensor) -> Tensor { design.gradient(at: outer) }

  func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) -> BilevelSample<[Tensor], [Tensor]> {
    design.sample(count, using: &generator)
  }

  func fit(
    _ method: StudyMethod, to sample: BilevelSample<[Tensor], [Tensor]>,
    _ specification: CoverageSpecification, seed: UInt64
  ) throws -> FittedMethod {
    if method == .oracle {
      return FittedMethod(hypergradient: { outer in
        let rows = design.oracleScores(of: sample, at: outer)
        return try Estimate(
          value: rows.mean(alongAxis: 0), names: (0..<rows.shape[1]).map { "w[\($0)]" },
          influence: [
            InfluenceRows(rows, sample: SampleIdentity(fingerprint: [sample.inner.inputs]))
          ])
      })
    }
    var layer = design.layer(
      nuisances: specification.learner.learner,
      crossFitting: specification.crossFitting(seed: seed))
    layer.isOrthogonal = method != .plugin
    let fit = try layer.fit(on: sample, at: evaluationPoint)
    return FittedMethod(hypergradient: { try fit.hypergradient(at: $0) })
  }
}
