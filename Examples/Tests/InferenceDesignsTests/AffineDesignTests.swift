import Autodiff
import Bilevel
import Inference
import InferenceDesigns
import Testing

@Suite("Affine design") struct AffineDesignTests {
  private static let count = 100_000

  /// Whether numbers agree to half a unit of the last printed digit.
  private func agree(_ found: [Double], _ printed: [Double], digits: Double = 6) -> Bool {
    let half = 0.51 * pow(Tensor(10), -digits).scalar
    return found.count == printed.count && zip(found, printed).allSatisfy { abs($0 - $1) <= half }
  }

  @Test("Gradients and eigenvalues are the ones computed elsewhere", arguments: NamedDesign.all)
  func gradientsAndEigenvaluesAreTheOnesComputedElsewhere(named: NamedDesign) throws {
    let design = named.design
    let gradient = design.gradient(at: design.evaluationPoint).scalars
    if !named.gradient.isEmpty { #expect(agree(gradient, named.gradient), "\(gradient)") }
    let values = try symmetricEigenvalues(design.hessian).scalars
    #expect(agree(values, named.eigenvalues, digits: 4), "\(values)")
    let none = design.gradient(at: design.stationaryPoint).norm().scalar
    #expect(none == 0)
  }

  /// A second answer: the mean over a large sample of the score with the true nuisances.
  @Test("The oracle score has the gradient as mean", arguments: NamedDesign.all)
  func theOracleScoreHasTheGradientAsMean(named: NamedDesign) throws {
    let design = named.design
    var generator = PhiloxGenerator(seed: 7)
    let problem = try design.sample(Self.count, using: &generator)
    let fit = try problem.fit(given: design.nuisances(at: problem.inputs))
    for point in [design.evaluationPoint, design.stationaryPoint] {
      let estimate = try fit.hypergradient(at: point)
      let t = (estimate.value - design.gradient(at: point)) / estimate.standardErrors
      let largest = abs(t).max().scalar
      #expect(largest < 4, "\(t)")
    }
    if let deviations = named.deviations {
      let estimate = try fit.hypergradient(at: design.evaluationPoint)
      let found = (estimate.standardErrors * Double(Self.count).squareRoot()).scalars
      for (found, known) in zip(found, deviations) {
        // Fourth moments of the score make a sample deviation vary by up to 0.5 % here.
        #expect(abs(found / known - 1) < 0.02, "\(found) for \(known)")
      }
    }
  }

  /// What a nuisance leaves of its target is uncorrelated with functions of the inputs.
  @Test("Nuisances are conditional means", arguments: NamedDesign.all)
  func nuisancesAreConditionalMeans(named: NamedDesign) throws {
    let design = named.design
    var generator = PhiloxGenerator(seed: 8)
    let problem = try design.sample(Self.count, using: &generator)
    let truth = design.nuisances(at: problem.inputs)
    let residuals = Tensor.concatenated(
      [
        (problem.innerIntercept - truth.intercept).expandingShape(at: 1),
        problem.innerSlope - truth.slope, (problem.outcome - truth.outcome).expandingShape(at: 1),
      ], alongAxis: 1)
    let x = problem.inputs
    for probe in [Tensor.ones(like: x), x, square(x), cos(2 * x), sin(3 * x)] {
      for column in 0..<x.shape[1] {
        let rows = residuals * probe[0..., column].expandingShape(at: 1)
        let mean = rows.mean(alongAxis: 0)
        let error = sqrt(rows.variance(alongAxes: [0]) / Double(Self.count))
        let excess = (abs(mean) - 4.5 * error).max().scalar
        #expect(excess <= 1e-12)
      }
    }
    let slope = (problem.outerSlope - design.outerSlope(at: x)).normInfinity().scalar
    #expect(slope == 0)
  }

  @Test("Samples depend on the generator only", arguments: NamedDesign.all)
  func samplesDependOnTheGeneratorOnly(named: NamedDesign) throws {
    var (a, b) = (PhiloxGenerator(seed: 3), PhiloxGenerator(seed: 3))
    let first = try named.design.sample(50, using: &a)
    let second = try named.design.sample(50, using: &b)
    let next = try named.design.sample(50, using: &a)
    #expect(first.inputs.scalars == second.inputs.scalars)
    #expect(first.outcome.scalars == second.outcome.scalars)
    #expect(first.inputs.scalars != next.inputs.scalars)
  }

  @Test("The line runs through both points") func theLineRunsThroughBothPoints() {
    let design = IVWell()
    let line = design.line(pointCount: 4)
    #expect(line.count == 4)
    let start = (line[1] - design.stationaryPoint).norm().scalar
    let end = (line[2] - design.evaluationPoint).norm().scalar
    #expect(start < 1e-15)
    #expect(end < 1e-15)
  }

  @Test("Two samples have the gradient of the outer inputs")
  func twoSamplesHaveTheGradientOfTheOuterInputs() throws {
    let design = TwoSampleIV()
    let gradient = design.gradient(at: design.evaluationPoint)
    #expect(agree(gradient.scalars, [0.086695, 0.103607, -0.015491]), "\(gradient)")
    var generator = PhiloxGenerator(seed: 5)
    let problem = try design.sample(Self.count, using: &generator)
    let fit = try problem.fit(
      given: design.nuisances(at: problem.inner.inputs),
      outer: design.nuisances(at: problem.outer.inputs))
    let estimate = try fit.hypergradient(at: design.evaluationPoint)
    let largest = abs((estimate.value - gradient) / estimate.standardErrors).max().scalar
    #expect(largest < 4)
  }
}
