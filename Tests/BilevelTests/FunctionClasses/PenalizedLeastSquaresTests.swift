import Autodiff
import Bilevel
import TestSupport
import Testing

/// Against the equations written down element by element, and against refits without a row.
@Suite("Penalised least squares")
struct PenalizedLeastSquaresTests {
  private let features = normal([12, 3], seed: 1)
  private let targets = normal([12, 2], seed: 2)
  private let weights: Tensor = {
    let raw = exp(normal([12], seed: 3))
    return raw / raw.sum()
  }()

  /// Cᵢ, [n, d, d], positive definite.
  private var curvatures: Tensor {
    let root = normal([12, 2, 2], seed: 4)
    return matmul(root, root, transposeB: true) + Tensor.identity(2)
  }

  /// G vec(W) = Σᵢ wᵢ (φᵢ φᵢᵀ) W Cᵢ + μ W by sums over rows.
  private func product(_ w: Tensor, _ weights: Tensor, _ c: Tensor, shift: Double) -> Tensor {
    (0..<12).reduce(shift * w) { sum, row in
      let phi = features[row].expandingShape(at: 1)
      return sum
        + weights[row].scalar
        * matmul(phi, matmul(matmul(phi, w, transposeA: true), c[row]))
    }
  }

  @Test("The solution satisfies the equations, in every form of the curvature and with weights")
  func equations() throws {
    let equal = Tensor(repeating: 1.0 / 12, shape: [12])
    let scales = exp(normal([12], seed: 5))
    let diagonals = exp(normal([12, 2], seed: 6))
    let eye = Tensor.identity(2).expandingShape(at: 0)
    let cases: [(OutputCurvature, Tensor)] = [
      (.isotropic(1.5), (1.5 * eye).broadcast(to: [12, 2, 2])),
      (.scaled(scales), eye * scales.reshaped(to: [12, 1, 1])),
      (.diagonal(diagonals), diagonals.embeddedDiagonal()), (.full(curvatures), curvatures),
    ]
    let b = normal([3, 2], seed: 7)
    for (curvature, dense) in cases {
      for given in [nil, weights] {
        let equations = try PenalizedLeastSquares(
          features: features, weights: given, curvature: curvature, outputCount: 2,
          penalty: RidgePenalty(ridge: 0.3))
        let w = try equations.solve(b)
        #expect(isClose(product(w, given ?? equal, dense, shift: 0.6), b, tolerance: 1e-12))
      }
    }
  }

  @Test("A ridge is λ beside half squares, a shift is what a Gram matrix gets")
  func conventions() throws {
    let penalties = [RidgePenalty(ridge: 0.2), RidgePenalty(shift: 0.4)]
    let solutions = try penalties.map {
      try PenalizedLeastSquares(features: features, weights: nil, penalty: $0).solve(
        matmul(features, targets, transposeA: true) / 12)
    }
    #expect(solutions[0].isBitwiseEqual(to: solutions[1]))
    let slope = gradient(at: solutions[0]) { w in
      (0.5 * square(targets - matmul(features, w))).sum(alongAxis: 1).mean()
        + 0.2 * square(w).sum()
    }
    #expect(slope.normInfinity().scalar < 1e-14)
    let head = try LinearHead(ridge: 0.4, hasIntercept: false).fit(features, to: targets)
    #expect(isClose(solutions[0], head))
    let kernel = matmul(features, features, transposeB: true) + 12 * 0.4 * Tensor.identity(12)
    let fitted = matmul(
      matmul(features, features, transposeB: true), try solvePositiveDefinite(kernel, targets))
    #expect(isClose(matmul(features, solutions[0]), fitted, tolerance: 1e-12))
  }

  @Test("An intercept that is spared takes up a constant")
  func sparedIntercept() throws {
    let phi = features.withIntercept
    let equations = try PenalizedLeastSquares(
      features: phi, weights: nil, penalty: RidgePenalty(ridge: 5, sparesIntercept: true))
    let shift = try equations.solve(
      matmul(phi, Tensor(repeating: 7, shape: [12, 1]), transposeA: true) / 12)
    #expect(isClose(shift, Tensor(rows: [[0], [0], [0], [7]]), tolerance: 1e-12))
  }

  @Test("Leverages are the derivatives of fitted values in their own targets")
  func leverages() throws {
    let equations = try PenalizedLeastSquares(
      features: features, weights: weights, penalty: RidgePenalty(ridge: 0.1))
    let weighted = features * weights.expandingShape(at: 1)
    let found = try equations.leverages(features, weighted: weighted)
    for row in 0..<12 {
      let own = Tensor.identity(12)[row].expandingShape(at: 1)
      let fitted = matmul(features, try equations.solve(matmul(weighted, own, transposeA: true)))
      #expect(agrees(found[row].scalar, fitted[row, 0].scalar))
    }
  }

  @Test("float32 features are solved in float64 and give float32 weights")
  func float32() throws {
    let equations = try PenalizedLeastSquares(
      features: features.cast(to: .float32), weights: nil, penalty: RidgePenalty(ridge: 1e-3))
    let single = try equations.solve(normal([3, 2], seed: 7).cast(to: .float32))
    let double = try PenalizedLeastSquares(
      features: features, weights: nil, penalty: RidgePenalty(ridge: 1e-3)
    ).solve(normal([3, 2], seed: 7))
    #expect(single.scalarType == .float32)
    #expect(relativeError(single, double) < 1e-6)
  }

  @Test("Dependent features without a penalty are refused")
  func dependent() {
    #expect(throws: LinearAlgebraError.self) {
      try PenalizedLeastSquares(
        features: .zeros([12, 2]), weights: nil, penalty: RidgePenalty(ridge: 0))
    }
  }

  @Test("Leave-one-out errors are those of refits without the row", arguments: [true, false])
  func leaveOneOut(sparesIntercept: Bool) throws {
    let ridges = [1e-3, 0.1, 2]
    let linearClass = LinearClass(
      ridge: 0, hasIntercept: sparesIntercept, penalizesIntercept: false
    ) { $0 }
    let scaled = targets / targets.columnDeviations
    let found = try LeaveOneOut(linearClass, inputs: features, targets: targets).errors(ridges)
    let phi = linearClass.features(features)
    for (ridge, error) in zip(ridges, found) {
      var sum = 0.0
      for row in 0..<12 {
        let others = Tensor(indices: (0..<12).filter { $0 != row })
        let part = phi.gathering(others, alongAxis: 0)
        // Every fit has the same penalty beside its sum of squares.
        let equations = try PenalizedLeastSquares(
          features: part, weights: nil,
          penalty: RidgePenalty(ridge: ridge * 12 / 11, sparesIntercept: sparesIntercept))
        let w = try equations.solve(
          matmul(part, scaled.gathering(others, alongAxis: 0), transposeA: true) / 11)
        let miss = scaled[row] - matmul(phi[row].expandingShape(at: 0), w).flattened()
        sum += square(miss).sum().scalar
      }
      #expect(agrees(error, sum / 24, to: 1e-9))
    }
  }
}
