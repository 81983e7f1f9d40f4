import Autodiff
import ExampleSupport
import Inference
import InferenceDesigns
import Orthogonal

/// A path of gradient descent with what is known at every step.
struct Descent: Encodable {
  /// One step, before it is taken.
  struct Step: Encodable {
    let index: Int
    let point: [Double]
    /// ‖Ψ̂(ω)‖, the bound that the true norm is below at 95 %, and the true norm.
    let gradientNorm: Double
    let normBound: Double
    let trueNorm: Double
    /// Of the joint test of a zero gradient; nil where there is none.
    let pValue: Double?
    /// F(ω) − F(ω*).
    let objectiveGap: Double
    /// ‖ω − ω*‖.
    let distance: Double
  }

  let design: DescentDesign
  let size: Int
  let stepLength: Double
  let seed: UInt64
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra = Repetition.linearAlgebra
  /// The smallest over the largest singular value of the score's mean derivative.
  let conditioning: Double?
  private(set) var steps: [Step] = []

  init(
    _ name: DescentDesign, size: Int, steps count: Int, step: Double, seed: UInt64
  ) throws {
    (design, self.size, stepLength, self.seed) = (name, size, step, seed)
    let design = name.design
    var generator = PhiloxGenerator(seed: seed)
    let problem = try design.sample(size, using: &generator)
    let fit = try problem.fit(
      nuisances: name.learner,
      crossFitting: CrossFitting(foldCount: 2, seed: seed).with(sharedNoise: .kept))
    conditioning = fit.conditioning
    var point = name.start
    let farthest = 1e6 * (point - design.stationaryPoint).norm().scalar
    for index in 0...count {
      // Written so that a distance that is no number fails too.
      guard (point - design.stationaryPoint).norm().scalar < farthest else {
        throw DescentDiverged(step: index, length: step)
      }
      let estimate = try fit.hypergradient(at: point)
      let truth = design.gradient(at: point)
      let gap = point - design.stationaryPoint
      steps.append(
        Step(
          index: index, point: point.scalars, gradientNorm: estimate.value.norm().scalar,
          normBound: estimate.normBound(), trueNorm: truth.norm().scalar,
          pValue: estimate.jointTest().value?.pValue, objectiveGap: 0.5 * dot(gap, truth).scalar,
          distance: gap.norm().scalar))
      point = point - step * estimate.value
    }
  }
}

/// Steps that led away from the stationary point.
struct DescentDiverged: Error, CustomStringConvertible {
  let step: Int
  let length: Double

  var description: String {
    "the descent diverged: after \(step == 1 ? "1 step" : "\(step) steps") of length "
      + "\(Numbers.short(length)), ω is a million times as far off as at the start; use a smaller "
      + "--step"
  }
}

extension Descent {
  /// The text for the terminal: about ten steps.
  var text: String {
    var table = TextTable(header: [
      "step", "‖gradient‖", "bound on the true one", "true", "p (stationary)", "F − F*", "‖ω − ω*‖",
    ])
    let stride = max(1, (steps.count - 1) / 10)
    var shown: [String] = []
    for step in steps where step.index % stride == 0 || step.index == steps.count - 1 {
      let cells =
        [
          Numbers.significant(step.gradientNorm, digits: 3),
          Numbers.significant(step.normBound, digits: 3),
          Numbers.significant(step.trueNorm, digits: 3),
          step.pValue.map(Numbers.pValue) ?? "—",
          Numbers.significant(step.objectiveGap, digits: 3),
          Numbers.significant(step.distance, digits: 4),
        ]
      // Once nothing changes, the last step says it all.
      guard cells != shown || step.index == steps.count - 1 else { continue }
      table.append(["\(step.index)"] + cells)
      shown = cells
    }
    return """
      Descent: \(design.summary)
        n = \(Numbers.count(size)), step \(Numbers.short(stepLength)), \(Repetition.text(seed: seed))
        smallest / largest singular value of the Hessian: \
      \(conditioning.map { Numbers.significant($0, digits: 2) } ?? "—")

      \(table.text())
      """
  }

  /// All steps as a file.
  var csv: String {
    let names = steps[0].point.indices.map { "w\($0)" }
    let header =
      ["step"] + names
      + ["gradient_norm", "norm_bound", "true_norm", "p_value", "objective_gap", "distance"]
    let lines = steps.map { step in
      let numbers =
        step.point + [step.gradientNorm, step.normBound, step.trueNorm]
      return ["\(step.index)"] + numbers.map { Numbers.short($0) }
        + [
          step.pValue.map { Numbers.short($0) } ?? "", Numbers.short(step.objectiveGap),
          Numbers.short(step.distance),
        ]
    }
    return ([header] + lines).map { $0.joined(separator: ",") }.joined(separator: "\n") + "\n"
  }

  /// Norms and the objective against steps.
  var figure: SVGFigure {
    func line(_ label: String, _ color: String, _ value: (Step) -> Double) -> SVGMark {
      .line(
        steps.filter { value($0) > 0 }.map { SVGPoint(Double($0.index), value($0)) },
        label: label, color: color)
    }
    return SVGFigure(
      title: "Descent along the orthogonal gradient",
      subtitle: "\(design.summary); n = \(size)",
      panels: [
        SVGPanel(
          xAxis: SVGAxis("step"), yAxis: SVGAxis("", scale: .logarithmic),
          marks: [
            line("estimated gradient", SVGColor.blue, \.gradientNorm),
            line("bound on the true gradient", SVGColor.sky, \.normBound),
            line("true gradient", SVGColor.black, \.trueNorm),
            line("F − F*", SVGColor.vermilion, \.objectiveGap),
          ], plotWidth: 560, plotHeight: 360)
      ])
  }
}
