import Autodiff

/// The conjugate-gradient recurrence for A x = b from zero with symmetric A, one product a step, and
/// what it learns about the spectrum on the way.
///
/// Its coefficients are those of Lanczos' method started at b: they give the tridiagonal matrix whose
/// eigenvalues, the Ritz values, approach the ends of the spectrum of A from inside. A step along a
/// direction of curvature that is not positive is not taken; the first such direction appears exactly
/// when that matrix stops being positive definite.
///
/// Saad, Iterative Methods for Sparse Linear Systems (2003), sections 6.7.3 and 9.2.
struct ConjugateGradientSteps {
  /// The approximation of A⁻¹ b; its norm grows with every step.
  private(set) var x: Tensor
  /// b − A x, as the recurrence has it.
  private(set) var residual: Tensor
  /// The next direction.
  private(set) var direction: Tensor
  /// ‖b − A x‖².
  private(set) var square: Double
  /// bᵀ x, which approaches bᵀ A⁻¹ b from below.
  private(set) var energy = 0.0
  /// The lengths of the steps and the ratios of successive squared residuals.
  private var (lengths, ratios) = ([Double](), [Double]())

  init(_ b: Tensor) {
    x = .zeros(like: b)
    (residual, direction) = (b, b)
    square = inner(b, b)
  }

  var count: Int { lengths.count }

  /// Takes a step.
  ///
  /// - Returns: Curvature pᵀ A p / ‖p‖² of the direction p that stopped it, where that is no more than
  ///   the rounding of a product; nil where the step was taken.
  mutating func advance(_ a: LinearOperator) throws(SolverError) -> Double? {
    let product = try a(direction)
    let curvature = inner(direction, product)
    let size = norm(direction)
    guard curvature > a.scalarType.ulpOfOne * size * norm(product), curvature.isFinite else {
      return curvature / size / size
    }
    let length = square / curvature
    energy += length * square
    x = combination(1, x, length, direction)
    residual = combination(1, residual, -length, product)
    let next = inner(residual, residual)
    (lengths, ratios) = (lengths + [length], ratios + [next / square])
    direction = combination(1, residual, next / square, direction)
    square = next
    return nil
  }

  /// The least Ritz value and how far it may be from an eigenvalue, ‖A v − θ v‖ of its vector v.
  ///
  /// An upper bound of the least eigenvalue that b has a part in.
  var leastRitzPair: (value: Double, error: Double) {
    let count = lengths.count
    guard count > 0 else { return (.infinity, .infinity) }
    var matrix = [Double](repeating: 0, count: count * count)
    for k in 0..<count {
      matrix[k * count + k] = 1 / lengths[k] + (k == 0 ? 0 : ratios[k - 1] / lengths[k - 1])
      guard k + 1 < count else { break }
      let coupling = ratios[k].squareRoot() / lengths[k]
      matrix[k * count + k + 1] = coupling
      matrix[(k + 1) * count + k] = coupling
    }
    guard
      let (values, vectors) = try? symmetricEigen(Tensor(matrix).reshaped(to: [count, count])),
      let value = values.scalars.first
    else { return (.nan, .infinity) }
    // The coupling to the next vector of the basis times the last component.
    let next = ratios[count - 1].squareRoot() / lengths[count - 1]
    return (value, next * abs(vectors[count - 1, 0].scalar))
  }
}
