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
  case "cross": settings.crossFits = v > 0
  case "ar": settings.adjoint = nil
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
  if (i + 1) % 10 == 0 {
    let t = (clock.now - start) / .seconds(1)
    var line = "\(method) \(seed) \(i + 1) inner \(l.inner) outer \(l.outer) s/it \(t / Double(i + 1))\n"
    let v = square(try fit.structuralFunction(at: validation.treatments) - validation.structuralValues).mean().scalar
    line += "   v \(v) t \(try fit.error(on: evaluation))\n"
    FileHandle.standardError.write(Data(line.utf8))
  }
}
