import Autodiff
import Foundation
import Neural

/// How the log penalties move along the hypergradient.
enum OuterRule: String, Codable, CaseIterable {
  /// Projected gradient steps of the lengths of Barzilai and Borwein.
  case spectral
  /// Projected gradient steps of one length.
  case gradient
  /// Adam's steps, projected.
  case adam
}

/// Projected descent on log penalties between bounds, with all it remembers.
///
/// The spectral rule uses hypergradients alone. The validation loss at an approximate inner solution
/// is too inexact for a line search: its error is of first order in that of the solution, as large
/// as the decrease it should show. Steps are bounded instead, and shortened by `StepGuard`.
///
/// Source: Barzilai, Borwein (1988), "Two-point step size gradient methods"; Birgin, Martínez, Raydan
/// (2000), "Nonmonotone spectral projected gradient methods on convex sets".
struct OuterDescent: Codable {
  let rule: OuterRule
  let learningRate: Double
  let bounds: [Double]

  private var previous: Previous?
  private var moments = Moments()
  private var guardian = StepGuard()

  /// Whether going on does not help, because shorter steps have not led nearer to convergence.
  var isStuck: Bool { guardian.isStuck }

  /// Where the last step started.
  private struct Previous: Codable {
    let penalties: [Double]
    let gradient: [Double]
    let step: Double
  }

  /// Adam's averages.
  private struct Moments: Codable {
    var count = 0
    var first: [Double] = []
    var second: [Double] = []
  }

  /// The largest change of a log penalty in a step: a factor of e² in the penalty.
  private static let largestMove = 2.0

  init(rule: OuterRule, learningRate: Double, bounds: ClosedRange<Double>) {
    (self.rule, self.learningRate) = (rule, learningRate)
    self.bounds = [bounds.lowerBound, bounds.upperBound]
  }

  /// The point within the bounds.
  func projected(_ y: [Double]) -> [Double] { y.map { min(max($0, bounds[0]), bounds[1]) } }

  /// ‖y - projection of (y - g)‖: 0 exactly where no feasible direction descends.
  func projectedNorm(_ y: [Double], _ g: [Double]) -> Double {
    let moved = projected(zip(y, g).map { $0 - $1 })
    return zip(y, moved).map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
  }

  /// The next point.
  ///
  /// - Parameter distance: How far from convergence y is, at least 1 where it has not converged.
  mutating func next(from y: [Double], along g: [Double], distance: Double) -> [Double] {
    switch rule {
    case .gradient: return projected(zip(y, g).map { $0 - learningRate * $1 })
    case .adam: return adamStep(y, g)
    case .spectral:
      let step = min(spectralStep(y, g), guardian.limit ?? .infinity)
      guardian.note(distance: distance, step: step, at: y)
      previous = Previous(penalties: y, gradient: g, step: step)
      return projected(
        zip(y, g).map { $0 - min(max(step * $1, -Self.largestMove), Self.largestMove) })
    }
  }

  private func spectralStep(_ y: [Double], _ g: [Double]) -> Double {
    guard let previous else { return learningRate }
    let s = zip(y, previous.penalties).map { $0 - $1 }
    // Coordinates held by a bound have s = 0 and say nothing of the curvature along the rest.
    let z = zip(s, zip(g, previous.gradient)).map { $0 == 0 ? 0 : $1.0 - $1.1 }
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).map { $0 * $1 }.reduce(0, +) }
    let (ss, sz, zz) = (product(s, s), product(s, z), product(z, z))
    guard sz > 1e-8 * (ss * zz).squareRoot() else {
      // No positive curvature: further along the same way.
      return min(4 * previous.step, 1e8 * learningRate)
    }
    // The shorter of the two: the longer one overshoots where the gradient is inexact.
    let step = sz / zz
    return min(max(step, 1e-8 * learningRate), 1e8 * learningRate)
  }

  private mutating func adamStep(_ y: [Double], _ g: [Double]) -> [Double] {
    var adam = Adam(learningRate: learningRate)
    adam.moments.stepCount = moments.count
    if moments.count > 0 {
      adam.moments.first = [Tensor(moments.first)]
      adam.moments.second = [Tensor(moments.second)]
    }
    var point = Tensor(y)
    adam.update(&point, along: Tensor(g))
    moments = Moments(
      count: adam.moments.stepCount, first: adam.moments.first[0].scalars,
      second: adam.moments.second[0].scalars)
    return projected(point.scalars)
  }
}

/// Keeps spectral steps from going round in circles where hypergradients are inexact.
///
/// The error of a hypergradient at an inner solution that starts where the last one ended depends on
/// how far the penalties moved. Long steps can therefore keep up the very errors that they answer
/// to. What shows it is that the distance from convergence has not fallen for a while although the
/// penalties came back to where they had been: steps then become shorter, and if that does not help
/// either, the run stops. A line search on the validation loss cannot do this: at an approximate
/// inner solution it is as inexact as its changes.
struct StepGuard: Codable {
  /// The longest step allowed; nil as long as there was progress.
  private(set) var limit: Double?
  private var smallest = Double.infinity
  private var shortenings = 0
  private var steps: [Double] = []
  private var origin: [Double] = []
  private var last: [Double] = []
  private var path = 0.0

  /// Iterations in which the distance must fall to `factor` of the smallest so far.
  private static let window = 30
  private static let factor = 0.7
  private static let largestShortenings = 8
  /// The part of the path that is left as displacement, below which penalties went in circles.
  private static let circular = 0.2

  /// Whether shorter and shorter steps have not helped.
  var isStuck: Bool { shortenings > Self.largestShortenings }

  /// Notes an iteration.
  ///
  /// - Parameters:
  ///   - distance: How far from convergence it was, at least 1 where it has not converged.
  ///   - step: The length of the step.
  ///   - point: Where it was.
  mutating func note(distance: Double, step: Double, at point: [Double]) {
    steps.append(step)
    if last.isEmpty { (origin, last) = (point, point) }
    path += Self.length(point, last)
    last = point
    if distance < Self.factor * smallest {
      (smallest, shortenings) = (distance, 0)
      startWindow()
    } else if steps.count >= Self.window {
      if Self.length(point, origin) < Self.circular * path {
        limit = min(limit ?? .infinity, steps.sorted()[steps.count / 2]) / 3
        shortenings += 1
      } else {
        // A long way in one direction: longer steps are wanted, not shorter ones.
        limit = limit.map { 3 * $0 }
      }
      startWindow()
    }
  }

  private mutating func startWindow() {
    steps.removeAll()
    origin = last
    path = 0
  }

  private static func length(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
  }
}
