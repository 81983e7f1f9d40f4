import Autodiff

/// The conjugate-gradient recurrence, with what it learns about the spectrum on the way.
///
///     x ← x + α p,  r ← r − α q,  p ← z + β p,   α = γ / curvature,  β = γ₊ / γ
///
/// For A x = b with symmetric A, q = A p and the curvature is pᵀ q; z = P⁻¹ r and γ = rᵀ z with a
/// preconditioner P, z = r without. For least squares ‖b − A x‖² + μ ‖x‖², q = A p, z = Aᵀ r − μ x,
/// γ = ‖z‖², and the curvature is ‖q‖² + μ ‖p‖²: then r is not squared in A, which is as accurate as
/// LSQR. Whoever steps says when to stop.
///
/// Without a preconditioner and from zero, `advance(_:)` records coefficients that are those of Lanczos'
/// method started at b: they give the tridiagonal matrix whose eigenvalues, the Ritz values, approach
/// the ends of the spectrum of A from inside. A step along a direction of curvature that is not positive
/// is not taken; the first such direction appears exactly when that matrix stops being positive
/// definite.
///
/// Saad, Iterative Methods for Sparse Linear Systems (2003), sections 6.7.3, 8.3 and 9.2.
struct ConjugateGradientSteps {
  /// The approximation of the solution; from zero its norm grows with every step.
  private(set) var x: Tensor
  /// b − A x, as the recurrence has it.
  private(set) var residual: Tensor
  /// p, the next direction.
  private(set) var direction: Tensor
  /// γ: ‖b − A x‖² for `advance(_:)`.
  private(set) var square: Double
  /// bᵀ x of `advance(_:)`, which approaches bᵀ A⁻¹ b from below.
  private(set) var energy = 0.0
  /// The lengths of the steps and the ratios of successive squared residuals.
  private var (lengths, ratios) = ([Double](), [Double]())

  /// The recurrence before its first step.
  ///
  /// - Parameters:
  ///   - residual: b − A x.
  ///   - x: Where it starts; nil is zero.
  ///   - direction: z; nil is the residual.
  ///   - square: γ; nil is ‖z‖².
  init(
    _ residual: Tensor, from x: Tensor? = nil, along direction: Tensor? = nil,
    square: Double? = nil
  ) {
    let direction = direction ?? residual
    self.x = x ?? .zeros(like: direction)
    (self.residual, self.direction) = (residual, direction)
    self.square = square ?? inner(direction, direction)
  }

  /// The steps of `advance(_:)` so far.
  var count: Int { lengths.count }

  /// Moves x and the residual; returns α.
  ///
  /// - Parameter image: q.
  mutating func move(curvature: Double, image: Tensor) -> Double {
    let length = square / curvature
    x = combination(1, x, length, direction)
    residual = combination(1, residual, -length, image)
    return length
  }

  /// Turns to the next direction.
  ///
  /// - Parameters:
  ///   - z: What it is but for its part along the last one.
  ///   - next: γ₊.
  mutating func turn(to z: Tensor, square next: Double) {
    direction = combination(1, z, next / square, direction)
    square = next
  }

  /// Takes a step for symmetric A without a preconditioner.
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
    let last = square
    lengths.append(move(curvature: curvature, image: product))
    energy += lengths[count - 1] * last
    turn(to: residual, square: inner(residual, residual))
    ratios.append(square / last)
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
