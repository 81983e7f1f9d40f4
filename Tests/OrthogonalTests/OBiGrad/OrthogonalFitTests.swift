import Autodiff
import Bilevel
import Inference
import Neural
import Orthogonal
import Solvers
import TestSupport
import Testing

/// What a fit does depends on nothing but its arguments.
@Suite("Fits of the layer")
struct OrthogonalFitTests {
  /// An estimate is the same whatever was evaluated before it, also where networks are trained.
  @Test("Estimates have no memory", arguments: [true, false]) func estimatesHaveNoMemory(
    isNetwork: Bool
  ) throws {
    var generator = PhiloxGenerator(seed: 5)
    let network = NetworkClass(
      features: MLP(widths: [1, 8, 4], activation: .tanh, using: &generator),
      head: .closedForm(ridge: 1e-4),
      training: InnerTraining(optimizer: Adam(learningRate: 1e-2), stepCount: 20))
    let layer = SineDesign.layer(isNetwork ? .network(network) : SineDesign.polynomials)
    let fit = try layer.fit(on: BilevelSample(SineDesign.sample(100)), at: SineDesign.point)
    let first = try fit.hypergradient(at: SineDesign.point)
    _ = try fit.hypergradient(at: Tensor([2, -1]))
    let again = try fit.hypergradient(at: SineDesign.point)
    #expect(first.value.scalars == again.value.scalars)
  }

  /// Rows are set aside for comparisons of classes, which a given class has none of.
  @Test("Few rows are enough for a given class") func fewRowsAreEnoughForAGivenClass() throws {
    let fit = try SineDesign.layer(SineDesign.polynomials).fit(
      on: BilevelSample(SineDesign.sample(3)), at: SineDesign.point)
    #expect(try fit.hypergradient(at: SineDesign.point).value.isFinite)
  }

  @Test("Estimates refuse to be differentiated") func estimatesRefuseToBeDifferentiated() async {
    let refusal = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let fit = try SineDesign.layer(SineDesign.polynomials).fit(
        on: BilevelSample(SineDesign.sample(40)), at: SineDesign.point)
      _ = try gradient(at: SineDesign.point) { ω in
        square(ω).sum() + (try fit.objective(at: ω).value.sum())
      }
    }
    #expect(errorText(refusal).contains("an estimate is a constant of every transform"))
  }

  /// An interval that is not valid says so.
  @Test("Summaries of baselines say what they are") func summariesOfBaselinesSayWhatTheyAre() throws
  {
    var layer = SineDesign.layer(SineDesign.polynomials)
    layer.isOrthogonal = false
    let blocks = try layer.fit(on: BilevelSample(SineDesign.sample(40)), at: SineDesign.point)
      .summaryBlocks
    #expect(blocks.flatMap(\.lines).contains { $0.text.contains("its interval is not valid") })
  }

  @Test("Halves for layers") func halvesForLayers() async {
    let refusal = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var layer = SineDesign.layer(SineDesign.polynomials)
      layer.crossFitting.sharedNoise = .split
      _ = try layer.fit(on: BilevelSample(SineDesign.sample(40)), at: SineDesign.point)
    }
    #expect(errorText(refusal).contains("leave .corrected or set .kept"))
  }
}
