import Autodiff
import DSprites
import Foundation
import SpriteRegression
import Bilevel

let arguments = CommandLine.arguments
let method = SpriteMethod(rawValue: arguments[1])!
let seed = UInt64(arguments[2])!
var settings = SpriteSettings.published(method, half: 2500)
for a in arguments.dropFirst(3) {
  let p = a.split(separator: "="); let v = Double(p[1])!
  switch p[0] {
  case "iterations": settings.iterations = Int(v)
  case "inner": settings.innerSteps = Int(v)
  case "olr": settings.outerLearningRate = v
  case "owd": settings.outerWeightDecay = v
  case "ilr": settings.innerLearningRate = v
  case "iwd": settings.innerWeightDecay = v
  case "r1": settings.firstRidge = v
  case "r2": settings.secondRidge = v
  case "std": settings.standardizesInstruments = v > 0
  case "decay": settings.decaysLearningRates = v > 0
  case "alr": settings.adjoint?.learningRate = v
  case "awd": settings.adjoint?.weightDecay = v
  case "penalty": settings.penalty = v
  case "cg": settings.conjugateGradientIterations = Int(v)
  default: fatalError(String(p[0]))
  }
}
let design = DSpritesDesign()
let sample = design.trainingSample(count: 5000, seed: seed)
let validation = design.validationSample(count: 1000, seed: seed)
let evaluation = design.evaluation()
let fit = SpriteFit(method, settings, sample: sample, seed: seed)
let clock = ContinuousClock()
let start = clock.now
for i in 0..<settings.iterations {
  let l = try fit.step()
  if (i + 1) % 10 == 0 || i < 2 {
    let v = try fit.structuralFunction(at: validation.treatments)
    let vmse = square(v - validation.structuralValues).mean().scalar
    let t = (clock.now - start) / .seconds(1)
    print(method, seed, i + 1, "inner", l.inner, "outer", l.outer, "g", l.gradientNorm, "test", try fit.error(on: evaluation), "val-f", vmse, "s/it", t / Double(i + 1))
    if i < 2, let r = fit.lastRecord { print(r) }
  }
}
