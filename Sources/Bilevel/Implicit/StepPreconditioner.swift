import Autodiff
import Solvers

/// P of the step x − P(x, y)⁻¹ F(x, y) that a preconditioned estimator takes before the implicit
/// function theorem is applied.
///
/// Consistent for any invertible P, because F(x*) = 0. Not to be confused with the preconditioner of
/// a linear solver, which changes what a solve costs and not where the hypergradient is evaluated.
/// The first-order error is multiplied by I − P⁻¹ F₁, so a P⁻¹ that overshoots makes it larger.
public protocol StepPreconditioner: Sendable {
  /// Whether F ↦ P⁻¹ F is linear.
  var isLinear: Bool { get }

  /// The map F ↦ P(x)⁻¹ F of vectors; what it costs to prepare is spent once, here.
  ///
  /// - Parameters:
  ///   - problem: The inner problem, for its Jacobian.
  ///   - x: Where.
  func inverse(
    for problem: InnerProblem, at x: Tensor
  ) throws(SolverError) -> LinearOperator.Product
}

extension StepPreconditioner {
  public var isLinear: Bool { true }
}

/// P = I / step: one gradient step.
public struct IdentityStep: StepPreconditioner {
  /// The step; nil is 1 / λmax(F₁), by power iteration.
  public var step: Double?

  /// A gradient step of a given or the longest safe length.
  public init(step: Double? = nil) { self.step = step }

  public func inverse(
    for problem: InnerProblem, at x: Tensor
  ) throws(SolverError) -> LinearOperator.Product {
    let scale: Double
    if let step {
      scale = step
    } else {
      let identity: LinearOperator.Product = { v throws(SolverError) in v }
      let jacobian = try problem.jacobian(at: x)
      let largest = try largestEigenvalue(of: identity, jacobian)
      guard largest > 0 else {
        throw .unsolved(
          SolverStatus(
            method: "IdentityStep",
            outcome: .indefinite(
              curvature: largest, blocks: [SolverStatus.BlockShare(name: "", share: 1)]),
            history: [], threshold: 0, scale: problem.scale, evaluations: jacobian.productCount),
          of: .inner)
      }
      scale = 1 / largest
    }
    return { v throws(SolverError) in scale * v }
  }
}

/// P = the diagonal of F₁, scaled so that the step cannot overshoot.
///
/// Unscaled, the diagonal can multiply the error by 40 on correlated problems; with
/// λmax(P⁻¹ F₁) ≤ 1 no component of it grows.
public struct DiagonalStep: StepPreconditioner {
  /// Where the diagonal comes from.
  public enum Diagonal: Sendable {
    /// n products with F₁.
    case exact
    /// This many products with random signs (Bekas, Kokiopoulou, Saad 2007), seeded.
    case estimated(probes: Int, seed: UInt64)
  }

  /// Where the diagonal comes from.
  public var diagonal: Diagonal
  /// Whether P⁻¹ is divided by λmax(P⁻¹ F₁) where that exceeds 1.
  public var isSafe: Bool

  /// A step by the diagonal, scaled down where it would overshoot unless `isSafe` is false.
  public init(_ diagonal: Diagonal = .exact, isSafe: Bool = true) {
    self.diagonal = diagonal
    self.isSafe = isSafe
  }

  public func inverse(
    for problem: InnerProblem, at x: Tensor
  ) throws(SolverError) -> LinearOperator.Product {
    let jacobian = try problem.jacobian(at: x)
    let elements = try elements(of: jacobian)
    if let index = elements.scalars.firstIndex(where: { !($0 > 0) }) {
      let block = jacobian.blocks.first { $0.range.contains(index) }?.name ?? ""
      let value = elements.scalars[index]
      throw .unsolved(
        SolverStatus(
          method: "DiagonalStep",
          outcome: .indefinite(
            curvature: value, blocks: [SolverStatus.BlockShare(name: block, share: 1)]),
          history: [], threshold: 0, scale: problem.scale, evaluations: jacobian.productCount),
        of: .inner)
    }
    let raw: LinearOperator.Product = { v throws(SolverError) in v / elements }
    guard isSafe else { return raw }
    let largest = try largestEigenvalue(of: raw, jacobian)
    let scale = largest > 1 ? 1 / largest : 1
    return { v throws(SolverError) in scale * v / elements }
  }

  private func elements(of jacobian: LinearOperator) throws(SolverError) -> Tensor {
    let n = jacobian.size
    switch diagonal {
    case .exact:
      var elements = [Double](repeating: 0, count: n)
      for index in 0..<n {
        let e = Tensor.basisVector(index, n, jacobian.scalarType)
        elements[index] = inner(e, try jacobian(e))
      }
      return Tensor(elements).cast(to: jacobian.scalarType)
    case .estimated(let probes, let seed):
      var generator = PhiloxGenerator(seed: seed)
      var sum = Tensor.zeros([n], jacobian.scalarType)
      for _ in 0..<max(1, probes) {
        let uniform = Tensor.uniform([n], jacobian.scalarType, using: &generator)
        let signs = select(uniform .< 0.5, Tensor.ones(like: uniform), -Tensor.ones(like: uniform))
        sum += signs * (try jacobian(signs))
      }
      let estimate = sum / Double(max(1, probes))
      if n == 0 { return estimate }
      // Off-diagonal elements are noise here, which can hide a positive element: the largest one
      // stands in for it, which gives a smaller step there.
      let positive = estimate .> 0
      return select(positive, estimate, estimate.max().broadcast(to: estimate.shape))
    }
  }
}

/// λmax(P⁻¹ A) for a symmetric positive definite A, by power iteration from a seeded start.
///
/// P⁻¹ A is self-adjoint in the inner product of A, so its Rayleigh quotient there grows towards λmax
/// from below; 5 % are added for what is missing after the last iteration. Slow growth at first means
/// nothing in high dimensions, where a random start hardly sees an outlying eigenvalue.
///
/// - Returns: 0 or less where vᵀ A v ≤ 0 was met, so that A is not positive definite.
func largestEigenvalue(
  of inverse: LinearOperator.Product, _ a: LinearOperator, iterations: Int = 40
) throws(SolverError) -> Double {
  guard a.size > 0 else { return 1 }
  var generator = PhiloxGenerator(seed: 0)
  var v = Tensor.normal([a.size], a.scalarType, using: &generator)
  var estimate = 0.0
  for iteration in 0..<iterations {
    let image = try a(v)
    let next = try inverse(image)
    let energy = inner(v, image)
    let quotient = inner(image, next) / energy
    if energy <= 0 { return energy / inner(v, v) }
    guard quotient.isFinite else { break }
    let hasSettled = quotient <= estimate * (1 + 1e-4)
    estimate = max(estimate, quotient)
    if hasSettled, iteration >= 10 { break }
    v = next / norm(next)
  }
  return 1.05 * estimate
}
