import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

/// A quadratic inner problem with a least-squares outer objective, on which settings that spoil a
/// hypergradient must throw an error that names the cause, or be reported with an honest estimate.
struct ConditionedQuadratic {
  let h: Tensor
  let c: Tensor
  let k: Tensor
  let target: Tensor
  let y: Tensor

  /// 6 inner and 4 outer variables, condition number 30, L = 1.
  init() throws {
    var generator = PhiloxGenerator(seed: 2026)
    let raw = Tensor.normal([6, 6], using: &generator)
    let (_, basis) = try symmetricEigen(raw + raw.transposed())
    let spectrum = exp(Tensor.linearSpace(from: -log30, to: 0, count: 6))
    h = matmul(basis * spectrum, basis, transposeB: true)
    c = Tensor.normal([6, 4], using: &generator)
    k = Tensor.normal([6], using: &generator)
    target = Tensor.normal([6], using: &generator)
    y = Tensor.normal([4], using: &generator)
  }

  private let log30 = 3.4011973816621555

  func objective(_ x: Tensor, _ y: Tensor) throws -> Tensor {
    0.5 * dot(x, matmul(h, x)) - dot(x, matmul(c, y) + k)
  }

  func loss(_ x: Tensor, _ y: Tensor) throws -> Tensor {
    0.5 * square(x - target).sum() + 0.05 * square(y).sum()
  }

  /// H x = C y + k;  ∇h = Cᵀ H⁻¹ (x − target) + 0.1 y.
  func hypergradient() throws -> Tensor {
    let x = try solve(h, matmul(c, y) + k)
    return matmul(c, try solve(h, x - target), transposeA: true) + 0.1 * y
  }

  func layer(
    _ solver: any InnerSolver = LBFGS(stopping: StoppingRule(relative: 1e-14, absolute: 1e-14)),
    adjoint: any LinearSolver = ConjugateGradient(tolerance: 1e-13)
  ) -> AID<Tensor, Tensor> {
    AID(
      minimizing: { x, y in try objective(x, y) }, startingAt: Tensor.zeros([6]), solver: solver,
      adjoint: adjoint)
  }

  /// The same solution as a fixed point of the heavy ball in (x, previous x): not symmetric.
  func heavyBall(adjoint: any LinearSolver) -> AID<TreePack<Tensor, Tensor>, Tensor> {
    AID(
      fixedPoint: { state, y in
        let (x, previous) = state.elements
        let slope = matmul(h, x) - matmul(c, y) - k
        return TreePack(x - 1.2 * slope + 0.4 * (x - previous), x)
      }, startingAt: TreePack(Tensor.zeros([6]), Tensor.zeros([6])), solver: NoSolver(),
      adjoint: adjoint
    ).solved(tolerance: StoppingRule(relative: 1e-10)) { _, y in
      let x = try solve(h, matmul(c, Tensor(y.scalars)) + k)
      return TreePack(x, x)
    }
  }

  /// The error made with a layer, by a transform; throws what the layer throws.
  func error(_ layer: AID<Tensor, Tensor>) throws -> Double {
    let found = try gradient(at: y) { y in try loss(try layer.solution(at: y).value, y) }
    return relativeError(found, try hypergradient())
  }
}

extension ConditionedQuadratic {
  /// The estimate is within a factor of 10 of the true error.
  func expectHonest(
    _ found: Hypergradient<Tensor, Tensor>, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let truth = relativeError(found.gradient, try hypergradient())
    let estimate = try #require(found.record.estimatedRelativeError)
    #expect((0.1...10).contains(estimate / truth), "\(estimate) for \(truth)")
    #expect(truth > 1e-9, "nothing was wrong")
  }

  /// The adjoint system is refused with an outcome and a message of all parts.
  func expectAdjoint(
    _ layer: AID<Tensor, Tensor>, _ outcome: SolverStatus.Outcome, _ parts: String...
  ) throws {
    let failure = #expect(throws: SolverError.self) { try error(layer) }
    #expect(failure?.adjointStatus?.outcome == outcome)
    let text = failure?.description ?? ""
    for part in ["adjoint system"] + parts { #expect(text.contains(part), "\(text)") }
  }
}
