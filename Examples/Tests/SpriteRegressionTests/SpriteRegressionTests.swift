import Autodiff
import DSprites
import Neural
import Testing

import SpriteRegression

@Suite("Regression on sprites")
struct SpriteRegressionTests {
  private static func normal(_ shape: Shape, _ seed: UInt64) -> Tensor {
    var generator = PhiloxGenerator(seed: seed)
    return Tensor.normal(shape, using: &generator)
  }

  @Test("The second stage minimises its loss", arguments: [0.0, 0.7])
  func secondStage(variancePenalty: Double) throws {
    let stage = SecondStage(
      outcomes: Self.normal([20, 1], 1), ridge: 0.1, variancePenalty: variancePenalty)
    // Predictions of the 20 rows of the second stage, then of the 15 of the first.
    let (predictions, targets) = (Self.normal([35, 3], 2), Self.normal([15, 3], 3))
    let u = try stage.head(predictions, targets)
    let slope = gradient(at: u) { stage.loss(predictions, targets, $0) }
    #expect(slope.normInfinity().scalar < 1e-14)
    // The penalty is the mean square of what the fitted function varies by.
    let plain = SecondStage(outcomes: stage.outcomes, ridge: 0.1, variancePenalty: 0)
    let spread = matmul(targets - predictions[20...], u[0..<3])
    let expected = plain.loss(predictions, targets, u) + variancePenalty * square(spread).mean()
    #expect(abs(stage.loss(predictions, targets, u) - expected).scalar < 1e-14)
  }

  @Test("Each row goes through the network of its fold, with a constant of its own")
  func folds() {
    var generator = PhiloxGenerator(seed: 4)
    let networks = (0..<2).map { _ in
      Sequential([Dense(inputSize: 2, outputSize: 3, using: &generator)])
    }
    let x = Self.normal([5, 2], 5)
    let folds = [1, 0, 0, 1, 1]
    let features = FoldedFeatures(folds: networks)(FoldedFeatures.inputs(x, folds: folds))
    #expect(features.shape == [5, 8])
    for (row, fold) in folds.enumerated() {
      let own = networks[fold](x[row..<row + 1]).scalars + [1]
      let other = [0.0, 0, 0, 0]
      // A product of one row may differ in the last bit from the row of a larger one.
      let expected = Tensor(fold == 0 ? own + other : other + own)
      #expect((features[row] - expected).normInfinity().scalar < 1e-15)
    }
  }

  @Test("Cross-fitting predicts every row by the network that has not seen it")
  func crossFitting() {
    let sample = DSpritesDesign().trainingSample(count: 11, seed: 1)
    var settings = SpriteSettings.published(.dfiv, half: 5)
    settings.crossFits = true
    let stages = SpriteStages(sample, settings, seed: 2)
    #expect(stages.outcomes.shape == [11, 1])
    let (own, other) = (stages.firstInstruments[0..., 3], stages.secondInstruments[0..., 3])
    #expect(own.scalars == [Double](repeating: 0, count: 5) + [Double](repeating: 1, count: 6))
    #expect((own + other).scalars.allSatisfy { $0 == 1 })
    #expect(
      stages.firstInstruments[0..., 0..<3].isBitwiseEqual(
        to: stages.secondInstruments[0..., 0..<3]))
    let (first, second) = sample.split(seed: 2)
    #expect(
      stages.outcomes.isBitwiseEqual(
        to: Tensor.concatenated([first.outcomes, second.outcomes], alongAxis: 0)))
  }

  @Test("Published settings divide the weight decay of a sum by the rows of a half")
  func publishedSettings() {
    #expect(SpriteSettings.published(.dfiv, half: 2500).innerWeightDecay == 4e-5)
    #expect(SpriteSettings.published(.aid, half: 2500).innerWeightDecay == 4e-7)
    #expect(SpriteSettings.published(.itd, half: 2500).outerLearningRate == 1e-2)
    #expect(SpriteSettings.published(.funcid, half: 2500).adjoint?.learningRate == 1e-5)
    for method in SpriteMethod.allCases {
      #expect(!SpriteSettings.published(method, half: 2500).crossFits)
      #expect(SpriteSettings.published(method, half: 2500).variancePenalty == 0)
    }
  }

  @Test("With published settings FuncID linear follows DFIV, in float64 to rounding")
  func sameScheme() throws {
    let sample = DSpritesDesign().trainingSample(count: 60, seed: 1, .float64)
    func losses(_ method: SpriteMethod) throws -> [SpriteFit.Losses] {
      var settings = SpriteSettings.published(method, half: 30)
      settings.innerSteps = 2
      let fit = SpriteFit(method, settings, sample: sample, seed: 1)
      return try (0..<3).map { _ in try fit.step() }
    }
    for (a, b) in zip(try losses(.dfiv), try losses(.funcidLinear)) {
      #expect(abs(a.outer - b.outer) < 1e-7 * a.outer)
      #expect(abs(a.gradientNorm - b.gradientNorm) < 1e-7 * a.gradientNorm)
    }
  }
}
