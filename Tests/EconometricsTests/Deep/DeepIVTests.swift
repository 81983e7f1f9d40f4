import Autodiff
import Bilevel
import Econometrics
import Testing

@Suite("Deep instrumental variables")
struct DeepIVTests {
  /// y = sin(t) + confounding, t moved by z.
  private func model(_ count: Int, seed: UInt64 = 3, scale: Double = 1) throws -> InstrumentalModel
  {
    var generator = PhiloxGenerator(seed: seed)
    let z = Tensor.uniform([2, count], from: -2, to: 2, using: &generator)
    let confounder = Tensor.normal([count], using: &generator)
    let t = z[0] + 0.5 * confounder
    return try InstrumentalModel(
      outcome: Variable(name: "y", scale * (sin(t) + confounder)),
      endogenous: [Variable(name: "t", t)],
      instruments: [Variable(name: "z0", z[0]), Variable(name: "z1", z[1])])
  }

  private let settings: DeepIV = {
    var settings = DeepIV()
    (settings.iterations, settings.innerSteps, settings.hidden) = (60, 5, [16])
    (settings.features, settings.learningRate, settings.secondRidge) = (6, 1e-2, 1e-3)
    settings.heldOut = 0
    return settings
  }()

  @Test("Training recovers the structural function and beats direct regression")
  func training() throws {
    let fit = try settings.fit(model(4000), unseen: model(2000, seed: 4))
    let (first, last) = try (#require(fit.losses.first), #require(fit.losses.last))
    #expect(fit.losses.count == 60 && last.outer < first.outer)
    let grid = Tensor.linearSpace(from: -1.8, to: 1.8, count: 50)
    let fitted = Tensor(fit.structuralFunction(at: [grid.scalars]))
    let error = square(fitted - sin(grid)).mean().scalar
    // Regression of y on t converges to sin t + E[confounder | t], whose slope error is
    // cov(confounder, t) / var(t) = 0.5 / (4/3 + 0.25).
    let direct = square(0.5 / (4.0 / 3 + 0.25) * grid).mean().scalar
    #expect(error < 0.25 * direct)
    // The mean derivative of sin over t, by the refitted head with its error.
    let effect = try #require(fit.result().intervals.averageEffects?["t"])
    let truth = cos(try model(4000).endogenous[0].column).mean().scalar
    #expect(abs(effect.value - truth) < 4 * effect.standardError)
    #expect(effect.lower < effect.value && effect.value < effect.upper)
  }

  @Test("A run is reproducible bit by bit, and another seed gives another one")
  func reproducible() throws {
    var settings = settings
    settings.iterations = 3
    func values(_ seed: UInt64) throws -> [Double] {
      try settings.fit(model(80), seed: seed).structuralFunction(at: [[-1, 0, 1]])
    }
    #expect(try values(1) == values(1))
    #expect(try values(1) != values(2))
  }

  @Test("The caller can end the training, and the result says so")
  func interrupted() throws {
    let fit = try settings.fit(model(80)) { iteration, _ in iteration < 2 }
    #expect(fit.losses.count == 2)
    let result = fit.result()
    #expect(result.isInterrupted && "\(result)".contains("Stopped after 2 of 60 iterations"))
  }

  @Test("Units of the outcome do not matter, because columns are standardised")
  func units() throws {
    var settings = settings
    settings.iterations = 2
    let plain = try settings.fit(model(100)).structuralFunction(at: [[-1, 0, 1]])
    let scaled = try settings.fit(model(100, scale: 1024)).structuralFunction(at: [[-1, 0, 1]])
    for (a, b) in zip(plain, scaled) { #expect(abs(b / 1024 - a) < 1e-9 * abs(a)) }
  }

  @Test("Too few held-out rows, none and a weak first stage withhold the intervals")
  func withheld() throws {
    var settings = settings
    settings.iterations = 1
    let none = try settings.fit(model(80)).result()
    #expect(none.intervals.reason?.contains("no rows were kept") == true)
    settings.heldOut = 0.5
    let few = try settings.fit(model(80)).result()
    #expect(few.intervals.reason?.contains("40 rows were kept") == true)
    #expect(few.intervals.averageEffects == nil && few.intervals.curves.isEmpty)
    let weak = try settings.fit(LinearDesign(strength: 0).model()).result()
    #expect(weak.intervals.reason?.contains("weak first stage of t") == true)
    #expect(weak.warnings.first?.hasPrefix("Intervals are withheld") == true)
  }

  @Test("Training that leaves the finite numbers stops with the level named")
  func notFinite() throws {
    var settings = settings
    settings.learningRate = 1e30
    let model = try model(100)
    #expect {
      try settings.fit(model)
    } throws: { "\($0)".contains("inner training left the finite numbers") }
  }
}
