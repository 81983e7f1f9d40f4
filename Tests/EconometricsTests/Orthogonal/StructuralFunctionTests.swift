import Autodiff
import Econometrics
import Testing

@Suite("Structural functions")
struct StructuralFunctionTests {
  @Test(
    "Features have names",
    arguments: [
      ("linear", StructuralFeatures.linear), ("log", .logarithm),
      ("polynomial:3", .polynomial(degree: 3)), ("fourier:4", .fourier(count: 4)),
    ])
  func namesOfFeatures(name: String, features: StructuralFeatures) {
    #expect(StructuralFeatures(name) == features)
    #expect("\(features)" == name)
  }

  @Test(
    "Other names are none",
    arguments: ["", "cubic", "polynomial", "polynomial:0", "polynomial:x", "log:2", "linear:1"])
  func namesThatAreNone(name: String) {
    #expect(StructuralFeatures(name) == nil)
    #expect(FirstStageLearner.Kind(name) == (name == "linear" ? .linear : nil))
  }

  @Test("Features have their values")
  func featuresHaveTheirValues() throws {
    let variable = Variable(name: "t", values: [1, 2, 3, 6])
    let powers = try TreatmentFeatures(.polynomial(degree: 3), of: variable)
    // Mean 3, variance (4 + 1 + 0 + 9) / 4.
    let s = 3 / 3.5.squareRoot()
    let error = zip(powers(6), [s, s * s, s * s * s]).map { abs($0 - $1) }.max() ?? 1
    #expect(error < 1e-12)
    let waves = try TreatmentFeatures(.fourier(count: 2), of: variable)
    let (start, end) = (waves(1), waves(6))
    #expect(start == [1, 1])
    #expect(abs(end[0] + 1) < 1e-12 && abs(end[1] - 1) < 1e-12)
  }

  @Test("A quadratic effect is read off the curve and covered by its band")
  func aQuadraticFunctionIsFound() throws {
    var generator = PhiloxGenerator(seed: 2)
    let draws = Tensor.normal([3, 1500], using: &generator)
    let treatment = 2 * draws[0] + draws[1]
    let outcome = 1 + 0.5 * treatment * treatment - treatment + draws[1] + 0.5 * draws[2]
    let model = try InstrumentalModel(
      outcome: Variable(name: "y", outcome), endogenous: [Variable(name: "t", treatment)],
      instruments: [Variable(name: "z", draws[0])])
    var regression = OrthogonalIV()
    #expect(try regression.fit(model).curves().isEmpty)
    regression.features = .polynomial(degree: 2)
    regression.learner = FirstStageLearner(.polynomial(degree: 3))
    let curve = try #require(try regression.fit(model).curves().first)
    #expect(curve.variable == "t" && curve.points.count == 60)
    for (index, t) in curve.points.enumerated() {
      let truth = 1 + 0.5 * t * t - t
      let (lower, upper) = try (#require(curve.lower[index]), #require(curve.upper[index]))
      let band = try #require(curve.bandLower[index])...#require(curve.bandUpper[index])
      #expect(band.contains(truth))
      #expect(band.lowerBound < lower && upper < band.upperBound)
      #expect(band.upperBound - band.lowerBound < 1)
    }
  }
}
