import Autodiff
import DSprites
import Testing

@Suite("The dSprites design") struct DSpritesDesignTests {
  private let design = DSpritesDesign()

  private func moments(_ tensor: Tensor) -> (mean: Double, deviation: Double) {
    let values = tensor.cast(to: .float64)
    let mean = values.mean().scalar
    return (mean, square(values - mean).mean().scalar.squareRoot())
  }

  /// The statistics of a sample are near those of all hearts.
  ///
  /// Over these f has mean 0.36 and deviation 4.19, to which the noise of the pixels adds; 133
  /// pixels are lit, 145 in root mean square. Tolerances are about three standard errors.
  @Test("Observations have the statistics of the benchmark")
  func observationsHaveTheStatisticsOfTheBenchmark() {
    let sample = design.trainingSample(count: 5000, seed: 1)
    let f = moments(sample.structuralValues)
    #expect(abs(f.mean - 0.37) < 0.18, "\(f.mean)")
    #expect(abs(f.deviation - 4.2) < 0.1, "\(f.deviation)")
    let confounder = moments(sample.outcomes - sample.structuralValues)
    #expect(abs(confounder.mean + 0.5) < 0.4, "\(confounder.mean)")
    #expect(abs(confounder.deviation - 9.25) < 0.15, "\(confounder.deviation)")
    let outcome = moments(sample.outcomes)
    #expect(abs(outcome.deviation - 10.1) < 0.25, "\(outcome.deviation)")
    // The sum of a row is its number of lit pixels, plus noise of deviation 6.4.
    let lit = sample.treatments.cast(to: .float64).sum(alongAxis: 1)
    let rootMeanSquare = square(lit).mean().scalar.squareRoot()
    #expect(abs(lit.mean().scalar - 133) < 2.5, "\(lit.mean().scalar)")
    #expect(abs(rootMeanSquare - 145) < 2.5, "\(rootMeanSquare)")
    let instruments = sample.instruments.scalars
    for (column, expected) in [(0, 0.75), (1, Double.pi), (2, 0.5)] {
      let mean = stride(from: column, to: instruments.count, by: 3).reduce(0) {
        $0 + instruments[$1]
      }
      #expect(abs(mean / 5000 - expected) < 0.05 * expected)
    }
  }

  /// A row is put together again from its latents by hand.
  @Test("Observations follow the design") func observationsFollowTheDesign() {
    let sample = design.trainingSample(count: 600, seed: 3, .float64)
    let images = SpriteRenderer().images(of: sample.latents)
    let clean = images.tensor(0..<600, .float64)
    let noise = moments(sample.treatments - clean)
    #expect(abs(noise.mean) < 3e-4)
    #expect(abs(noise.deviation - 0.1) < 3e-4)
    let (a, treatments) = (design.projection.scalars, sample.treatments.scalars)
    for row in [0, 299, 511, 512, 599] {
      let t = treatments[row * 4096..<(row + 1) * 4096]
      var total = 0.0
      for j in 0..<10 {
        let product = zip(t, 0..<4096).reduce(0) { $0 + $1.0 * a[$1.1 * 10 + j] }
        total += product * product
      }
      let value = (total / 10 - 5000) / 1000
      #expect(abs(sample.structuralValues.scalars[row] - value) < 1e-10)
      let latents = sample.latents[row]
      #expect(latents.shape == .heart)
      let instrument = sample.instruments.scalars[row * 3..<row * 3 + 3]
      #expect(Array(instrument) == [latents.scale, latents.orientation, latents.x])
      let rest = sample.outcomes.scalars[row] - value - Double(latents.yIndex - 16)
      #expect(abs(rest) < 2.5)
    }
    let places = Tensor(sample.latents.map { Double($0.yIndex - 16) }, shape: [600, 1])
    let ownNoise = moments(sample.outcomes - sample.structuralValues - places)
    #expect(abs(ownNoise.deviation - 0.5) < 0.05)
  }

  @Test("Evaluation is the grid of the benchmark") func evaluationIsTheGridOfTheBenchmark() {
    let grid = design.evaluation()
    #expect(grid.treatments.shape == [588, 4096])
    #expect(grid.structuralValues.shape == [588, 1])
    #expect(Set(grid.latents).count == 588)
    #expect(Set(grid.latents.map(\.scaleIndex)) == [0, 3, 5])
    #expect(Set(grid.latents.map(\.orientationIndex)) == [0, 10, 20, 30])
    #expect(Set(grid.latents.map(\.xIndex)) == [0, 5, 10, 15, 20, 25, 30])
    #expect(Set(grid.latents.map(\.yIndex)) == [0, 5, 10, 15, 20, 25, 30])
    #expect(Set(grid.treatments.scalars) == [0, 1])
    let f = moments(grid.structuralValues)
    #expect(abs(f.deviation * f.deviation - 24.8) < 0.3, "\(f.deviation * f.deviation)")
    #expect(abs(f.mean - 1.31) < 0.1, "\(f.mean)")
  }

  @Test("Seeds decide") func seedsDecide() {
    let first = design.trainingSample(count: 40, seed: 7)
    let again = design.trainingSample(count: 40, seed: 7)
    #expect(first.latents == again.latents)
    #expect(first.treatments.isBitwiseEqual(to: again.treatments))
    #expect(first.outcomes.isBitwiseEqual(to: again.outcomes))
    #expect(first.latents != design.trainingSample(count: 40, seed: 8).latents)
  }

  @Test("A shorter sample is the beginning of a longer one")
  func aShorterSampleIsTheBeginningOfALongerOne() {
    let short = design.trainingSample(count: 33, seed: 7)
    let long = design.trainingSample(count: 550, seed: 7).rows(Array(0..<33))
    #expect(short.latents == long.latents)
    #expect(short.treatments.isBitwiseEqual(to: long.treatments))
    #expect(short.instruments.isBitwiseEqual(to: long.instruments))
    #expect(short.structuralValues.isBitwiseEqual(to: long.structuralValues))
    #expect(short.outcomes.isBitwiseEqual(to: long.outcomes))
  }

  /// Latents, pixel noise and confounder noise of the two draws are uncorrelated.
  @Test("Validation is independent of training") func validationIsIndependentOfTraining() {
    let count = 400
    let training = design.trainingSample(count: count, seed: 5, .float64)
    let validation = design.validationSample(count: count, seed: 5, .float64)
    let factors: [(SpriteLatents) -> Double] = [
      { Double($0.scaleIndex) }, { Double($0.orientationIndex) }, { Double($0.xIndex) },
      { Double($0.yIndex) },
    ]
    for first in factors {
      for second in factors {
        let correlation = correlation(
          Tensor(training.latents.map(first)), Tensor(validation.latents.map(second)))
        #expect(abs(correlation) < 4 / Double(count).squareRoot())
      }
    }
    let renderer = SpriteRenderer()
    func noise(_ sample: DSpritesSample) -> Tensor {
      sample.treatments - renderer.images(of: sample.latents).tensor(0..<count, .float64)
    }
    let pixels = correlation(noise(training), noise(validation))
    #expect(abs(pixels) < 4 / Double(count * 4096).squareRoot())
    func ownNoise(_ sample: DSpritesSample) -> Tensor {
      sample.outcomes - sample.structuralValues
        - Tensor(sample.latents.map { Double($0.yIndex) }, shape: [count, 1])
    }
    let confounders = correlation(ownNoise(training), ownNoise(validation))
    #expect(abs(confounders) < 4 / Double(count).squareRoot())
  }

  private func correlation(_ a: Tensor, _ b: Tensor) -> Double {
    let (first, second) = (moments(a), moments(b))
    let product = ((a - first.mean) * (b - second.mean)).mean().scalar
    return product / (first.deviation * second.deviation)
  }

  @Test("Splits into two halves") func splitsIntoTwoHalves() {
    let sample = design.trainingSample(count: 101, seed: 2)
    let (first, second) = sample.split(seed: 2)
    #expect(first.count == 50)
    #expect(second.count == 51)
    #expect(first.treatments.shape == [50, 4096])
    #expect(second.instruments.shape == [51, 3])
    let outcomes = first.outcomes.scalars + second.outcomes.scalars
    #expect(outcomes != sample.outcomes.scalars)
    #expect(outcomes.sorted() == sample.outcomes.scalars.sorted())
    // Rows stay whole.
    let y = Dictionary(
      zip(sample.outcomes.scalars, sample.latents), uniquingKeysWith: { first, _ in first })
    for (outcome, latents) in zip(first.outcomes.scalars, first.latents) {
      #expect(y[outcome] == latents)
    }
    #expect(first.outcomes.isBitwiseEqual(to: sample.split(seed: 2).first.outcomes))
    #expect(!first.outcomes.isBitwiseEqual(to: sample.split(seed: 3).first.outcomes))
  }

  @Test("Another projection is checked and used") func anotherProjectionIsCheckedAndUsed() throws {
    let constant = try DSpritesDesign(projection: Tensor.ones([4096, 10], .float32))
    let images = Tensor.ones([1, 4096])
    #expect(constant.structuralValues(of: images).scalars == [(4096 * 4096 - 5000) / 1000])
    #expect(throws: DSpritesError.projection(found: "float64 [10, 4096]")) {
      try DSpritesDesign(projection: Tensor.ones([10, 4096]))
    }
    #expect(throws: DSpritesError.projection(found: "the element nan")) {
      try DSpritesDesign(projection: Tensor(repeating: .nan, shape: [4096, 10]))
    }
  }
}
