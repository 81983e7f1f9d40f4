import Autodiff

/// The last pairs s = x₊ − x, y = ∇f(x₊) − ∇f(x) of a quasi-Newton method, and the inverse Hessian H
/// that they define.
///
/// Source: Nocedal & Wright, Numerical Optimization (2006), algorithm 7.4.
package struct CurvaturePairs {
  private typealias Pair = (s: Tensor, y: Tensor, product: Double)

  private let limit: Int
  private var pairs: [Pair] = []
  /// sᵀy / yᵀy of the last pair.
  private var scale = 1.0

  init(limit: Int) { self.limit = limit }

  package var isEmpty: Bool { pairs.isEmpty }

  mutating func removeAll() { pairs.removeAll() }

  /// Adds a pair, unless it has no positive curvature that rounding leaves recognisable.
  mutating func append(s: Tensor, y: Tensor) {
    let (product, square) = (inner(s, y), inner(y, y))
    guard product > s.scalarType.ulpOfOne * square.squareRoot() * norm(s), square.isFinite else {
      return
    }
    if pairs.count == limit { pairs.removeFirst() }
    pairs.append((s, y, product))
    scale = product / square
  }

  /// H g by the two-loop recursion.
  package func inverseHessianProduct(_ gradient: Tensor) -> Tensor {
    guard !pairs.isEmpty else { return gradient }
    var result = gradient
    var coefficients: [Double] = []
    for pair in pairs.reversed() {
      let coefficient = inner(pair.s, result) / pair.product
      coefficients.append(coefficient)
      result -= coefficient * pair.y
    }
    result *= scale
    for (pair, coefficient) in zip(pairs, coefficients.reversed()) {
      result += (coefficient - inner(pair.y, result) / pair.product) * pair.s
    }
    return result
  }
}
