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
