import Autodiff
import Econometrics

/// A linear model with one endogenous variable whose effect is 2, in units that differ widely.
struct LinearDesign {
  var count = 800
  /// How far the instruments move the treatment.
  var strength = 1.0
  var seed: UInt64 = 1

  func model() throws -> InstrumentalModel {
    var generator = PhiloxGenerator(seed: seed)
    func normal() -> Tensor { Tensor.normal([count], using: &generator) }
    let (z1, z2, w1, shock, noise) = (normal(), normal(), normal(), normal(), normal())
    let w2 = 100 + 50 * normal()
    let treatment = 12 + strength * (z1 - 0.5 * z2) + 0.5 * w1 + 0.01 * w2 + shock
    let outcome = 3 + 2 * treatment - w1 + 0.05 * w2 + 0.8 * shock + noise
    return try InstrumentalModel(
      outcome: Variable(name: "y", values: outcome.scalars),
      endogenous: [Variable(name: "t", values: treatment.scalars)],
      instruments: [
        Variable(name: "z1", values: z1.scalars), Variable(name: "z2", values: z2.scalars),
      ],
      exogenous: [
        Variable(name: "w1", values: w1.scalars), Variable(name: "w2", values: w2.scalars),
      ])
  }
}
