import Autodiff
import Foundation

/// An approximate inner solution with its true error.
public struct InnerPoint: Sendable {
  /// x [n], in the scalar type of the problem.
  public let x: Tensor

  /// ‖x - x*(y)‖, of x as rounded to that type.
  public let error: Double

  /// The iteration of the inner solver that gave it; nil for a perturbation.
  public let iteration: Int?
}

extension HyperparameterProblem {
  /// An approximate solution, rounded to the scalar type of the problem.
  ///
  /// - Parameter x: [n].
  public func point(_ x: Tensor, iteration: Int? = nil) -> InnerPoint {
    let rounded = x.cast(to: scalarType)
    return InnerPoint(x: rounded, error: innerError(rounded), iteration: iteration)
  }

  /// Points x* + ε ‖x*‖ u for each relative error ε and several directions u, uniform on the unit
  /// sphere; a direction keeps its u for all ε, which come in the order given.
  ///
  /// - Parameters:
  ///   - relativeErrors: ε, positive. Where x* = 0, they are absolute.
  ///   - directions: The number of directions.
  ///   - seed: The seed of the directions.
  /// - Returns: One list to a direction.
  public func perturbations(
    relativeErrors: [Double], directions: Int, seed: UInt64
  ) -> [[InnerPoint]] {
    var generator = PhiloxGenerator(seed: seed, stream: 13)
    let size = solution.norm().scalar
    return (0..<directions).map { _ in
      let normal = Tensor.normal([innerSize], using: &generator)
      let unit = normal / normal.norm()
      return relativeErrors.map { point(solution + ($0 * (size > 0 ? size : 1)) * unit) }
    }
  }

  /// Iterates of gradient descent from `start`, in `float64`, at errors ‖x - x*‖ spaced evenly on a
  /// logarithmic scale: the first iterate below each level, with its own true error.
  ///
  /// An iterate that passes several levels at once is recorded once. The step of the squared loss
  /// is 1.8 / λ with λ the largest eigenvalue of the Hessian; that of the logistic loss starts at 1
  /// and is halved, for good, whenever the objective would rise.
  ///
  /// - Parameters:
  ///   - levels: The errors at which to record, in descending order; see `ErrorLevels`.
  ///   - maximumIterations: After which the path ends, at whatever error.
  /// - Throws: `ProblemError.noPath` if not even the first level is reached.
  public func gradientDescentPath(
    levels: [Double], maximumIterations: Int = 50_000
  ) throws(ProblemError) -> [InnerPoint] {
    let exact = regression.cast(to: .float64)
    let y = hyperparameters.cast(to: .float64)
    var descent = GradientDescent(exact, y, from: start.cast(to: .float64))
    var points: [InnerPoint] = []
    var next = 0
    var error = innerError(descent.x)
    var nearest = error
    for iteration in 0...maximumIterations {
      if next < levels.count, error <= levels[next] {
        points.append(point(descent.x, iteration: iteration))
        while next < levels.count, error <= levels[next] { next += 1 }
      }
      guard next < levels.count, iteration < maximumIterations, error.isFinite else { break }
      descent.step()
      error = innerError(descent.x)
      nearest = min(nearest, error)
    }
    if points.isEmpty, let first = levels.first {
      throw .noPath(reached: nearest, wanted: first)
    }
    return points
  }
}

/// Errors spaced evenly on a logarithmic scale.
public enum ErrorLevels {
  /// `count` errors from 10^`high` down to 10^`low`.
  ///
  /// - Precondition: `count` is at least 2.
  public static func logarithmic(from high: Double, to low: Double, count: Int) -> [Double] {
    guard count >= 2 else { fatalError("ErrorLevels: at least 2 levels, not \(count)") }
    return (0..<count).map { pow(10, high + (low - high) * Double($0) / Double(count - 1)) }
  }

  /// The 150 levels from 10^1.5 to 10^-3.5 of the published experiments.
  ///
  /// Ye, Peyré, Cremers and Ablin (AISTATS 2024).
  public static let published = logarithmic(from: 1.5, to: -3.5, count: 150)
}

/// Gradient descent with the step rule of the loss.
struct GradientDescent {
  private(set) var x: Tensor
  private(set) var stepSize: Double
  private let problem: PenalizedRegression
  private let y: Tensor
  private var value: Double

  init(_ problem: PenalizedRegression, _ y: Tensor, from start: Tensor) {
    (self.problem, self.y) = (problem, y)
    x = start
    value = problem.objective(start, y).scalar
    stepSize = 1
    if problem.loss == .squared {
      stepSize = 1.8 / Self.largestEigenvalue(problem.jacobian(start, y))
    }
  }

  mutating func step() {
    let slope = problem.residual(x, y)
    guard problem.loss == .logistic else {
      x -= stepSize * slope
      return
    }
    var next = x - stepSize * slope
    var nextValue = problem.objective(next, y).scalar
    // Near the solution the objective changes by less than its rounding: that is no rise.
    let rounding = 1e-14 * Swift.abs(value)
    while !(nextValue <= value + rounding), stepSize > 1e-12 {
      stepSize /= 2
      next = x - stepSize * slope
      nextValue = problem.objective(next, y).scalar
    }
    (x, value) = (next, nextValue)
  }

  /// The largest eigenvalue of a symmetric matrix; a bound by the row sums where it has none.
  private static func largestEigenvalue(_ matrix: Tensor) -> Double {
    let bound = abs(matrix).sum(alongAxis: 1).max().scalar
    return (try? symmetricEigenvalues(matrix).max().scalar) ?? bound
  }
}
