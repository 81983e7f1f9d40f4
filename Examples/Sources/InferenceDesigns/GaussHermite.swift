import Autodiff

/// Gauss–Hermite quadrature for expectations under normal distributions.
///
///     E[f(Z)] = Σᵢ wᵢ f(zᵢ),   Z ~ N(0, 1)
///
/// exactly for polynomials of degree below 2 n. Nodes are eigenvalues of the Jacobi matrix of the
/// Hermite polynomials (Golub and Welsch, Calculation of Gauss quadrature rules, 1969), polished by
/// Newton's method.
public struct GaussHermite: Sendable {
  /// z, [n], increasing.
  public let nodes: Tensor
  /// w, [n], of sum 1.
  public let weights: Tensor

  /// A rule.
  ///
  /// - Parameter count: n, at least 2.
  public init(_ count: Int) {
    precondition(count >= 2, "a quadrature rule has at least 2 nodes, found \(count)")
    var nodes = Self.eigenvalues(count)
    var weights = nodes
    for index in nodes.indices {
      var (last, before) = (0.0, 0.0)
      for _ in 0..<3 {
        (last, before) = Self.polynomials(count, at: nodes[index])
        // The derivative of the normalised polynomial pₙ is √n pₙ₋₁.
        nodes[index] -= last / (Double(count).squareRoot() * before)
      }
      (_, before) = Self.polynomials(count, at: nodes[index])
      weights[index] = 1 / (Double(count) * before * before)
    }
    self.nodes = Tensor(nodes)
    self.weights = Tensor(weights)
  }

  /// Points and weights of independent standard normal coordinates: [nᵖ, p] and [nᵖ], the last
  /// coordinate fastest.
  public func grid(dimension: Int) -> (points: Tensor, weights: Tensor) {
    var points = nodes.expandingShape(at: 1)
    var weights = weights
    let count = nodes.elementCount
    for _ in 1..<dimension {
      let rows = points.shape[0]
      points = .concatenated(
        [
          points.expandingShape(at: 1).broadcast(to: [rows, count, points.shape[1]]),
          nodes.expandingShape(at: 1).expandingShape(at: 0).broadcast(to: [rows, count, 1]),
        ], alongAxis: 2
      ).reshaped(to: [rows * count, -1])
      weights = (weights.expandingShape(at: 1) * self.weights).flattened()
    }
    return (points, weights)
  }

  /// The orthonormal Hermite polynomials of degrees n and n − 1.
  private static func polynomials(_ degree: Int, at x: Double) -> (last: Double, before: Double) {
    var (before, last) = (0.0, 1.0)
    for k in 0..<degree {
      let next = (x * last - Double(k).squareRoot() * before) / Double(k + 1).squareRoot()
      (before, last) = (last, next)
    }
    return (last, before)
  }

  private static func eigenvalues(_ count: Int) -> [Double] {
    var jacobi = [Double](repeating: 0, count: count * count)
    for k in 1..<count {
      jacobi[(k - 1) * count + k] = Double(k).squareRoot()
      jacobi[k * count + k - 1] = Double(k).squareRoot()
    }
    do {
      return try symmetricEigenvalues(Tensor(jacobi, shape: [count, count])).scalars
    } catch {
      fatalError("GaussHermite: a Jacobi matrix has eigenvalues: \(error)")
    }
  }
}
