import Autodiff

/// An estimate of the spectral radius of a linear map, with its dominant eigenvalue.
struct SpectralEstimate {
  /// The estimated spectral radius.
  let radius: Double
  /// The dominant eigenvalue, the one with an imaginary part that is not negative; nil where more
  /// than two eigenvalues share the largest magnitude.
  let eigenvalue: (real: Double, imaginary: Double)?

  /// Estimates by power iteration with a seeded start.
  ///
  /// Three successive iterates u, M u, M² u determine the monic quadratic of which the roots are the
  /// two Ritz values of the space of u and M u. They converge to the dominant eigenvalues, real or a
  /// complex pair, which the quotients of norms alone would not do. Where the quadratic leaves a
  /// residual (more eigenvalues of one magnitude, or a map far from normal) the growth rate over half
  /// of the iterations counts.
  ///
  /// - Parameter limit: The most products.
  init(
    size: Int, scalarType: ScalarType, limit: Int = 100,
    _ map: (Tensor) throws(SolverError) -> Tensor
  ) throws(SolverError) {
    var generator = PhiloxGenerator(seed: 0x4E45_554D)
    let start = Tensor.normal([size], scalarType, using: &generator)
    var u = combination(1 / norm(start), start, 0, start)
    var previous: (u: Tensor, growth: Double)?
    var growths: [Double] = []
    var fitted: (real: Double, imaginary: Double)?
    var radii: [Double] = []
    for _ in 0..<limit {
      let next = try map(u)
      let growth = norm(next)
      guard growth.isFinite, growth > 0 else {
        self.init(radius: growth == 0 ? 0 : .infinity, eigenvalue: growth == 0 ? (0, 0) : nil)
        return
      }
      growths.append(growth)
      if let previous {
        fitted = Self.dominantRoot(previous.u, previous.growth, u, next, scalarType.ulpOfOne)
        radii.append(fitted.map(Self.magnitude) ?? .nan)
      }
      if Self.hasSettled(radii) { break }
      previous = (u, growth)
      u = combination(1 / growth, next, 0, next)
    }
    let second = growths.suffix(max(1, growths.count / 2))
    let meanGrowth = exp(log(Tensor(Array(second))).mean()).scalar
    self.init(radius: fitted.map(Self.magnitude) ?? meanGrowth, eigenvalue: fitted)
  }

  private init(radius: Double, eigenvalue: (real: Double, imaginary: Double)?) {
    self.radius = radius
    self.eigenvalue = eigenvalue
  }

  /// Whether the last estimates agree, to the accuracy that their distance from 1 asks for.
  private static func hasSettled(_ radii: [Double]) -> Bool {
    guard radii.count >= 10, let last = radii.last else { return false }
    let tolerance = min(1e-3, 1e-2 * abs(1 - last))
    return radii.suffix(5).allSatisfy { abs($0 - last) <= tolerance * last }
  }

  private static func magnitude(_ z: (real: Double, imaginary: Double)) -> Double {
    (z.real * z.real + z.imaginary * z.imaginary).squareRoot()
  }

  /// The larger root of z² − a z − b with M² u ≈ a M u + b u; nil where the fit is bad.
  ///
  /// - Parameters:
  ///   - v: M u / growth, of norm 1.
  ///   - w: M v.
  private static func dominantRoot(
    _ u: Tensor, _ growth: Double, _ v: Tensor, _ w: Tensor, _ epsilon: Double
  ) -> (real: Double, imaginary: Double)? {
    let (uv, uw, vw, ww) = (inner(u, v), inner(u, w), inner(v, w), inner(w, w))
    // sin² of the angle between u and v: 0 where u is an eigenvector.
    let sine = 1 - uv * uv
    guard sine > 100 * epsilon else { return (vw, 0) }
    // w ≈ α v + β u, that is M² u ≈ α M u + β growth u.
    let alpha = (vw - uv * uw) / sine
    let beta = (uw - uv * vw) / sine
    let unexplained = ww - alpha * vw - beta * uw
    guard unexplained <= 1e-3 * ww else { return nil }
    let (half, constant) = (alpha / 2, beta * growth)
    let discriminant = half * half + constant
    if discriminant < 0 { return (half, (-discriminant).squareRoot()) }
    return (half + (half < 0 ? -1 : 1) * discriminant.squareRoot(), 0)
  }
}
