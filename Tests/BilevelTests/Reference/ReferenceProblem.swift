import Autodiff
import Bilevel
import Solvers

/// A bilevel problem with everything that is known about its hypergradients in closed form, on
/// plain matrices: nothing here is differentiated automatically.
struct ReferenceProblem: Sendable, CustomStringConvertible {
  let description: String
  let inner: any ReferenceInner
  let outer: any ReferenceOuter
  /// Where the problem is looked at.
  let y: Tensor
  /// A direction of length 1 in x.
  let direction: Tensor

  init(
    _ description: String, _ inner: any ReferenceInner, _ outer: any ReferenceOuter,
    y range: ClosedRange<Double> = -1...1, seed: UInt64 = 5
  ) {
    var generator = PhiloxGenerator(seed: seed)
    self.description = description
    self.inner = inner
    self.outer = outer
    y = Tensor.uniform(
      [inner.m], from: range.lowerBound, to: range.upperBound, using: &generator)
    let u = Tensor.normal([inner.n], using: &generator)
    direction = u / u.norm()
  }

  func layer(adjoint: any LinearSolver = DenseLU()) -> AID<Tensor, Tensor> {
    inner.layer(adjoint: adjoint)
  }

  func loss(_ x: Tensor, _ y: Tensor) throws -> Tensor { outer.value(x, y) }

  func solution() throws -> Tensor { try inner.solution(y) }

  /// A point at a relative distance from the solution.
  func point(off distance: Double) throws -> Tensor {
    let x = try solution()
    return x + distance * x.norm() * direction
  }

  /// The library's estimate.
  func estimate(
    at x: Tensor, _ estimator: HypergradientEstimator<Tensor>,
    adjoint: any LinearSolver = DenseLU(tolerance: 1e-11)
  ) throws -> Tensor {
    try layer(adjoint: adjoint).hypergradient(at: y, evaluatedAt: x, estimator: estimator, of: loss)
      .gradient
  }
}

// MARK: - Closed forms

extension ReferenceProblem {
  /// p with F₁ᵀ p = g₁.
  func adjoint(_ x: Tensor) throws -> Tensor {
    try solve(inner.f1(x, y).transposed(), outer.g1(x, y))
  }

  /// J = −F₁⁻¹ F₂.
  func jacobian(_ x: Tensor) throws -> Tensor { -(try solve(inner.f1(x, y), inner.f2(x, y))) }

  /// Ω = g₂ − F₂ᵀ p.
  func omega(_ x: Tensor) throws -> Tensor {
    outer.g2(x, y) - matmul(inner.f2(x, y), try adjoint(x), transposeA: true)
  }

  /// ∇h = Ω at the solution.
  func hypergradient() throws -> Tensor { try omega(try solution()) }

  /// L₁₁ and L₂₁ of L = g − p · F.
  func lagrangian(_ x: Tensor) throws -> (l11: Tensor, l21: Tensor) {
    let p = try adjoint(x)
    let f11 = columns { matmul(inner.f11(x, y, along: $0), p, transposeA: true) }
    let f21 = columns { matmul(inner.f21(x, y, along: $0), p, transposeA: true) }
    return (outer.g11(x, y) - f11, outer.g21(x, y) - f21)
  }

  /// Ω₁ = L₂₁ + Jᵀ L₁₁, [m, n].
  func omega1(_ x: Tensor) throws -> Tensor {
    let (l11, l21) = try lagrangian(x)
    return l21 + matmul(try jacobian(x), l11, transposeA: true)
  }

  /// dp*/dy with F₁ᵀ dp*/dy = L₁₁ J + L₁₂, [n, m].
  func adjointSensitivity(_ x: Tensor) throws -> Tensor {
    let (l11, l21) = try lagrangian(x)
    return try solve(
      inner.f1(x, y).transposed(), matmul(l11, try jacobian(x)) + l21.transposed())
  }

  /// Ω^φ = g₂ + J̃ᵀ g₁ with J̃ = −(F₁ + M)⁻¹ (F₂ + N).
  func reparameterized(_ x: Tensor, m: Tensor, n: Tensor) throws -> Tensor {
    let j = -(try solve(inner.f1(x, y) + m, inner.f2(x, y) + n))
    return outer.g2(x, y) + matmul(j, outer.g1(x, y), transposeA: true)
  }

  /// Ω − Ω₁ F₁⁻¹ F, all at x.
  func linearized(_ x: Tensor) throws -> Tensor {
    let newton = try solve(inner.f1(x, y), inner.f(x, y))
    return try omega(x) - matmul(try omega1(x), newton)
  }

  /// M and N of φ = P(y)⁻¹ z with P the diagonal of F₁: M = 0, N eₖ = −(∂ₖP)ᵀ P⁻ᵀ F.
  func diagonalMatrices(_ x: Tensor) -> (m: Tensor, n: Tensor) {
    let w = inner.f(x, y) / inner.f1(x, y).diagonal()
    return (Tensor.zeros([inner.n, inner.n]), -column(w) * inner.diagonalSensitivity(y))
  }

  /// The same for P = F₁, of which only the diagonal depends on y in these problems.
  func fullMatrices(_ x: Tensor) throws -> (m: Tensor, n: Tensor) {
    let w = try solve(inner.f1(x, y).transposed(), inner.f(x, y))
    return (Tensor.zeros([inner.n, inner.n]), -column(w) * inner.diagonalSensitivity(y))
  }

  /// Of a separable φ with curvatures κ: M = diag(κ F), N = 0.
  func separableMatrices(_ x: Tensor, _ curvatures: Tensor) -> (m: Tensor, n: Tensor) {
    ((curvatures * inner.f(x, y)).embeddedDiagonal(), Tensor.zeros([inner.n, inner.m]))
  }

  /// Of local Newton coordinates: M = −w · F₁₁, N = −w · F₂₁ with F₁ᵀ w = F.
  func newtonMatrices(_ x: Tensor) throws -> (m: Tensor, n: Tensor) {
    let w = try solve(inner.f1(x, y).transposed(), inner.f(x, y))
    let m = columns { -matmul(inner.f11(x, y, along: $0), w, transposeA: true) }
    let n = columns { -matmul(inner.f21(x, y, along: $0), w, transposeA: true) }
    return (m, n.transposed())
  }

  /// The matrix of a linear function of x.
  private func columns(_ f: (Tensor) -> Tensor) -> Tensor {
    let unit = Tensor.identity(inner.n)
    return Tensor.stacked((0..<inner.n).map { f(unit[$0]) }, alongAxis: 1)
  }
}

// MARK: - The problems

extension ReferenceProblem {
  static let ridgeLinear = {
    let inner = RidgeInner(seed: 11)
    return ReferenceProblem(
      "ridge, linear outer", inner, LinearOuter(inner, seed: 12), y: 3...6)
  }()
  static let ridgeQuadratic = {
    let inner = RidgeInner(seed: 13)
    return ReferenceProblem("ridge, quadratic outer", inner, QuadraticOuter(inner, seed: 14))
  }()
  static let logisticLinear = {
    let inner = LogisticInner(seed: 15)
    return ReferenceProblem("logistic, linear outer", inner, LinearOuter(inner, seed: 16))
  }()
  static let logisticLogistic = {
    let inner = LogisticInner(seed: 17)
    return ReferenceProblem("logistic, logistic outer", inner, LogisticOuter(inner, seed: 18))
  }()
  static let logisticMixed = {
    let inner = LogisticInner(seed: 19)
    return ReferenceProblem("logistic, mixed outer", inner, MixedOuter(inner, seed: 20))
  }()
  static let logisticItself = {
    let inner = LogisticInner(seed: 21)
    return ReferenceProblem("logistic, outer = inner", inner, InnerAsOuter(inner: inner))
  }()
  static let nonSymmetricMixed = {
    let inner = NonSymmetricRoot(seed: 22)
    return ReferenceProblem("non-symmetric root, mixed outer", inner, MixedOuter(inner, seed: 23))
  }()
  static let nonSymmetricLinear = {
    let inner = NonSymmetricRoot(seed: 24)
    return ReferenceProblem("non-symmetric root, linear outer", inner, LinearOuter(inner, seed: 25))
  }()

  static let minima = [
    ridgeLinear, ridgeQuadratic, logisticLinear, logisticLogistic, logisticMixed, logisticItself,
  ]
  static let all = minima + [nonSymmetricMixed, nonSymmetricLinear]
}

// MARK: - Measures

/// Sizes ε of errors and the slope of log error(ε) over log ε by least squares.
func logarithmicSlope(
  _ sizes: [Double] = [1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5],
  _ error: (Double) throws -> Double
) rethrows -> Double {
  let u = log(Tensor(sizes))
  let v = log(Tensor(try sizes.map(error)))
  let (du, dv) = (u - u.mean(), v - v.mean())
  return ((du * dv).sum() / (du * du).sum()).scalar
}

/// The Jacobian of a function by central differences of fourth order.
func differences(_ f: (Tensor) throws -> Tensor, at x: Tensor, step: Double = 1e-3) throws -> Tensor
{
  let unit = Tensor.identity(x.elementCount)
  let columns = try (0..<x.elementCount).map { index in
    let e = step * unit[index]
    let near = try f(x + e) - f(x - e)
    let far = try f(x + 2 * e) - f(x - 2 * e)
    return (8 * near - far) / (12 * step)
  }
  return Tensor.stacked(columns, alongAxis: -1)
}
