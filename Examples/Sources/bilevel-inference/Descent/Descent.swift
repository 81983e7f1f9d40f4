import Autodiff
import ExampleSupport
import Inference
import InferenceDesigns
import Orthogonal
import TensorFiles

/// A path of gradient descent with what is known at every step.
struct Descent: Report {
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
      let gap = point - design.stationaryPoint
      let distance = gap.norm().scalar
      // Written so that a distance that is no number fails too.
      guard distance < farthest else { throw Diverged(step: index, length: step) }
      let estimate = try fit.hypergradient(at: point)
      let truth = design.gradient(at: point)
      steps.append(
        Step(
          index: index, point: point.scalars, gradientNorm: estimate.value.norm().scalar,
          normBound: estimate.normBound(), trueNorm: truth.norm().scalar,
          pValue: estimate.jointTest().value?.pValue, objectiveGap: 0.5 * dot(gap, truth).scalar,
          distance: distance))
      point = point - step * estimate.value
    }
  }

  /// Steps that led away from the stationary point.
  private struct Diverged: Error, CustomStringConvertible {
    let step: Int
    let length: Double

    var description: String {
      "the descent diverged: after \(Numbers.counted(step, "step")) of length "
        + "\(Numbers.short(length)), ω is a million times as far off as at the start; use a "
        + "smaller --step"
    }
  }
}

extension Descent {
  private var columns: [Column<Step>] {
    [.init("step", csv: "step", .short) { Double($0.index) }]
      + steps[0].point.indices.map { index in .init(nil, csv: "w\(index)") { $0.point[index] } }
      + [
        .init("‖gradient‖", csv: "gradient_norm", .significant(3), \.gradientNorm),
        .init("bound on the true one", csv: "norm_bound", .significant(3), \.normBound),
        .init("true", csv: "true_norm", .significant(3), \.trueNorm),
        .init("p (stationary)") { $0.pValue.map(Numbers.pValue) ?? "—" },
        .init(nil, csv: "p_value") { $0.pValue },
        .init("F − F*", csv: "objective_gap", .significant(3), \.objectiveGap),
        .init("‖ω − ω*‖", csv: "distance") { $0.distance },
      ]
  }

  /// The text for the terminal: about ten steps.
  var text: String {
    let stride = max(1, (steps.count - 1) / 10)
    let figures = columns.dropFirst().filter { $0.title != nil }
    var (shown, last): ([Step], [String]) = ([], [])
    for step in steps where step.index % stride == 0 || step.index == steps.count - 1 {
      // Once nothing changes, the last step says it all.
      let cells = figures.map { $0.text(step) }
      guard cells != last || step.index == steps.count - 1 else { continue }
      shown.append(step)
      last = cells
    }
    return """
      Descent: \(design.summary)
        n = \(Numbers.count(size)), step \(Numbers.short(stepLength)), \(Repetition.text(seed: seed))
        smallest / largest singular value of the Hessian: \
      \(conditioning.map { Numbers.significant($0, digits: 2) } ?? "—")

      \(shown.table(columns))
      """
  }

  var csv: CSVWriter { steps.csv(columns) }

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
