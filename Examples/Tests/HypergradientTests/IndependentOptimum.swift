import Autodiff
import Foundation
import HyperparameterProblems

/// The best penalties between bounds, by a method the program does not use.
///
/// Projected Newton steps on the closed form of the hypergradient, with the Hessian from its
/// differences, its eigenvalues taken positive, and a line search on the exact validation loss.
struct IndependentOptimum {
  let split: DataSplit
  let test: LabeledData
  private let regression: PenalizedRegression
  private let outer: ValidationLoss
  private let bounds: ClosedRange<Double>

  /// Auto MPG as `tune` divides it by default.
  static func mpg() throws -> IndependentOptimum {
    let first = try BundledData.mpg().split(validationFraction: 0.3, seed: 1)
    let second = try first.validation.split(validationFraction: 0.5, seed: 1)
    let split = try DataSplit(training: first.training, validation: second.training)
    let test = try DataSplit(training: first.training, validation: second.validation)
      .standardized(centersLabels: true).validation
    return IndependentOptimum(split.standardized(centersLabels: true), test: test)
  }

  init(_ split: DataSplit, test: LabeledData) {
    self.split = split
    self.test = test
    regression = PenalizedRegression(split.training, loss: .squared)
    outer = ValidationLoss(split.validation, loss: .squared)
    let center = log(Double(split.training.featureCount))
    bounds = (center + log(1e-4))...(center + log(10))
  }

  /// The exact validation loss of log penalties.
  func loss(_ y: [Double]) throws -> Double { try outer.exactValue(regression, at: Tensor(y)) }

  /// The exact mean squared error on the test rows.
  func testLoss(_ y: [Double]) throws -> Double {
    try ValidationLoss(test, loss: .squared).exactValue(regression, at: Tensor(y))
  }

  func slope(_ y: [Double]) throws -> [Double] {
    try outer.exactHypergradient(regression, at: Tensor(y)).scalars
  }

  /// The log penalties with the smallest loss, from equal ones.
  func solve() throws -> [Double] {
    var y = [Double](repeating: 0, count: split.training.featureCount)
    for _ in 0..<200 {
      let g = try slope(y)
      let free = y.indices.filter {
        !(y[$0] <= bounds.lowerBound && g[$0] > 0) && !(y[$0] >= bounds.upperBound && g[$0] < 0)
      }
      guard free.contains(where: { abs(g[$0]) > 1e-9 }) else { break }
      let direction = try direction(y, g, free)
      let start = try loss(y)
      var length = 1.0
      var next = moved(y, free, direction, length)
      while try loss(next) > start, length > 1e-12 {
        length /= 2
        next = moved(y, free, direction, length)
      }
      guard length > 1e-12 else { break }
      y = next
    }
    return y
  }

  private func moved(
    _ y: [Double], _ free: [Int], _ direction: [Double], _ length: Double
  ) -> [Double] {
    var next = y
    for (index, component) in zip(free, direction) {
      // Two units of a logarithm are far enough for a quadratic model.
      let step = min(max(component, -2), 2)
      next[index] = min(max(y[index] + length * step, bounds.lowerBound), bounds.upperBound)
    }
    return next
  }

  private func direction(_ y: [Double], _ g: [Double], _ free: [Int]) throws -> [Double] {
    let h = 1e-4
    let columns = try free.map { index in
      var (above, below) = (y, y)
      above[index] += h
      below[index] -= h
      let (up, down) = (try slope(above), try slope(below))
      return free.map { (up[$0] - down[$0]) / (2 * h) }
    }
    let matrix = Tensor(rows: columns)
    let (values, vectors) = try symmetricEigen(0.5 * (matrix + matrix.transposed()))
    let rotated = matmul(vectors, Tensor(free.map { g[$0] }), transposeA: true)
    let scaled = zip(rotated.scalars, values.scalars).map { $0 / max(abs($1), 1e-8) }
    return (-matmul(vectors, Tensor(scaled))).scalars
  }
}
