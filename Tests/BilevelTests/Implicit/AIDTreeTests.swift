import Autodiff
import Bilevel
import GradientCheck
import Solvers
import TestSupport
import Testing

/// Inner and outer variables that are trees, of any size and scalar type.
@Suite("AID, trees")
struct AIDTreeTests {
  private struct Weights: TensorTree {
    var matrix: Tensor
    var order: Tensor
    var bias: Tensor
    mutating func visitTensors(_ visitor: inout TensorVisitor) {
      visitor.visit(&matrix, "matrix")
      visitor.visit(&order, "order")
      visitor.visit(&bias, "bias")
    }
  }

  private struct Penalties: TensorTree {
    var matrix: Tensor
    var bias: Tensor?
    var targets: [Tensor]
    mutating func visitTensors(_ visitor: inout TensorVisitor) {
      visitor.visit(&matrix, "matrix")
      visitor.visit(&bias, "bias")
      visitor.visit(&targets, "targets")
    }
  }

  private let data = Tensor(rows: [[1, 0.4], [-0.3, 1], [0.8, -1], [0.2, 0.5]])

  private func objective(_ w: Weights, _ p: Penalties) -> Tensor {
    let features = data.gathering(w.order, alongAxis: 1)
    let output = matmul(features, w.matrix) + w.bias
    let fit = p.targets.enumerated().reduce(Tensor(0)) { sum, pair in
      sum + softplus(output[.all, pair.offset] - pair.element).mean()
        + 0.5 * square(output[.all, pair.offset] - pair.element).mean()
    }
    let penalty = (exp(p.matrix) * square(w.matrix)).sum()
    return fit + penalty + (exp(p.bias ?? Tensor(0)) * square(w.bias)).sum()
  }

  private var layer: AID<Weights, Penalties> {
    let start = Weights(
      matrix: Tensor.zeros([2, 2]), order: Tensor(indices: [1, 0]), bias: Tensor.zeros([2]))
    return AID(
      minimizing: { objective($0, $1) }, startingAt: start,
      solver: NewtonCG(stopping: StoppingRule(relative: 1e-14, absolute: 1e-15)),
      adjoint: DenseLU())
  }

  private func point(bias: Tensor?) -> Penalties {
    Penalties(
      matrix: Tensor(rows: [[0.1, -0.4], [0.3, 0.2]]), bias: bias,
      targets: [Tensor([0.5, -1, 0.3, 1]), Tensor([1, 0.2, -0.4, 0.1])])
  }

  @Test("Struct, optional and array in and out, with an integer leaf, both modes, second order")
  func structs() throws {
    for bias in [Tensor(0.2), nil] as [Tensor?] {
      let report = try requireGradients(at: point(bias: bias)) { p in
        try layer.solution(at: p).value
      }
      #expect(report.inputCount == (bias == nil ? 12 : 13))
      #expect(report.outputCount == 6)
    }
    let solution = try layer.solution(at: point(bias: nil)).value
    #expect(solution.order.elements(as: Int32.self) == [1, 0])
    #expect(solution.matrix.shape == [2, 2])
  }

  @Test("A pack of trees as the outer variable, a dictionary as the inner one")
  func pack() throws {
    let w = Tensor(rows: [[2, 0.7], [-0.4, 1.5]])
    let layer = AID<[String: Tensor], TreePack<Tensor, [Tensor]>>(
      root: { x, pack in
        let (scale, shifts) = pack.elements
        let (a, b) = (x["a"] ?? scale, x["b"] ?? scale)
        return [
          "a": scale * matmul(w, a) + 0.2 * tanh(b) - shifts[0], "b": b + 0.3 * a * a - shifts[1],
        ]
      }, startingAt: ["a": Tensor.zeros([2]), "b": Tensor.zeros([2])],
      solver: Newton(linearSolver: DenseLU(), stopping: StoppingRule(relative: 1e-14)))
    let pack = TreePack(Tensor(1.3), [Tensor([0.2, -0.5]), Tensor([1, 0.4])])
    try requireGradients(at: pack) { try layer.solution(at: $0).value }
  }

  // MARK: - Sizes and types

  /// x³ + 3x + M x = W y with matrices that are not symmetric, around a loop on numbers.
  private func cubic(_ n: Int, _ type: ScalarType = .float64) -> AID<Tensor, Tensor> {
    var generator = PhiloxGenerator(seed: 3)
    let w =
      Tensor.identity(n, type) + 0.4 * Tensor.normal([n, n], type, using: &generator)
    let mix = 0.3 * Tensor.normal([n, n], type, using: &generator)
    let tolerance = StoppingRule(relative: type == .float32 ? 1e-5 : 1e-12)
    return AID(
      root: { x, y in x * x * x + 3 * x + matmul(mix, x) - matmul(w, y) },
      startingAt: Tensor.zeros([n], type), solver: NoSolver()
    ).solved(tolerance: tolerance) { _, y in
      let (wide, mix) = (w.cast(to: .float64), mix.cast(to: .float64))
      let target = matmul(wide, Tensor(y.scalars))
      var x = target / 3
      for _ in 0..<200 { x = (target - matmul(mix, x) - x * x * x + 3 * x) / 6 }
      return Tensor(x.scalars).cast(to: type)
    }
  }

  @Test("Non-symmetric root of size 0, 1 and 4, both modes, second order", arguments: [0, 1, 4])
  func sizes(n: Int) throws {
    let layer = cubic(n)
    try requireGradients(at: 0.3 * cos(Tensor.range(n))) { try layer.solution(at: $0).value }
  }

  @Test("A repeated input counts twice")
  func repeated() throws {
    let layer = cubic(3)
    try requireGradients(at: Tensor([0.2, -0.3, 0.4])) { y in
      let x = try layer.solution(at: y * y).value
      return x * y + (try layer.solution(at: x + y).value)
    }
  }

  @Test("A scalar")
  func scalar() throws {
    let layer = AID(
      root: { (x: Tensor, y: Tensor) in x * x * x + x - y }, startingAt: Tensor(0),
      solver: NoSolver()
    ).solved { _, y in Tensor(cubicRoot(y.scalar)) }
    try requireGradients(at: Tensor(1.3)) { try layer.solution(at: $0).value }
  }

  @Test("float32 in, float32 out, as accurate as float32", arguments: [0, 1, 4])
  func single(n: Int) throws {
    let y = 0.3 * cos(Tensor.range(n))
    let (narrow, wide) = (cubic(n, .float32), cubic(n))
    let found = try jacobian(at: y.cast(to: .float32)) { try narrow.solution(at: $0).value }
    let expected = try jacobian(at: y) { try wide.solution(at: $0).value }
    #expect(found.scalarType == .float32)
    // The two W differ in their random numbers' rounding only.
    for (a, b) in zip(found.scalars, expected.scalars) { #expect(abs(a - b) < 1e-5) }
    try requireGradients(
      at: y.cast(to: .float32),
      options: GradientCheckOptions(order: 1, tolerances: .float32, precision: .asGiven)
    ) { try narrow.solution(at: $0).value }
    // Differences in float32 cannot decide second derivatives; the same layer in float64 can.
    let curvatures = [(narrow, ScalarType.float32), (wide, .float64)].map { layer, type in
      Result { try hessian(at: y.cast(to: type)) { try layer.solution(at: $0).value.sum() } }
    }
    let (single, double) = (try curvatures[0].get(), try curvatures[1].get())
    for (a, b) in zip(single.scalars, double.scalars) { #expect(abs(a - b) < 1e-4) }
  }

  // MARK: - The formulations

  @Test("Minimum, least squares, root and fixed point pass a check to second order")
  func formulations() throws {
    let root = NonSymmetricRoot(seed: 50, n: 4, m: 3)
    let logistic = LogisticInner(seed: 51, rows: 12, columns: 3)
    let tight = StoppingRule(relative: 1e-13, absolute: 1e-13)
    let matrix = Tensor(rows: [[1, 0.5, 0], [0.2, 1, 0.4], [0.3, 0, 2], [1, 1, 1]])
    let squares = AID<Tensor, Tensor>(
      leastSquares: { x, y in
        sin(matmul(matrix, x)) + 0.3 * matmul(matrix, x) - exp(matmul(matrix, y)) / 3
      },
      startingAt: Tensor.zeros([3]), solver: LevenbergMarquardt(stopping: tight), adjoint: DenseLU()
    )
    let layers = [
      logistic.layer(), logistic.layer(adjoint: ConjugateGradient(tolerance: 1e-13)),
      root.layer(), root.layer(adjoint: GMRES(tolerance: 1e-13)),
      root.fixedPointLayer(adjoint: DenseLU()),
      root.fixedPointLayer(adjoint: BiCGStab(tolerance: 1e-13)), squares,
    ]
    let y = Tensor([0.3, -0.2, 0.1])
    for layer in layers {
      try requireGradients(at: y) { try layer.solution(at: $0).value }
      // ⟨u, J v⟩ = ⟨Jᵀ u, v⟩ to rounding.
      let (x, pullback) = try vjp(at: y) { try layer.solution(at: $0).value }
      let (u, v) = (cos(Tensor.range(x.elementCount)), sin(1 + Tensor.range(3)))
      let forward = try jvp(at: y, along: v) { try layer.solution(at: $0).value }.tangent
      let (left, right) = (dot(u, forward).scalar, dot(try pullback(u), v).scalar)
      #expect(abs(left - right) <= 1e-11 * abs(left))
    }
    let pair = (try layers[2].solution(at: y).value, try layers[4].solution(at: y).value)
    #expect(relativeError(pair.0, pair.1) < 1e-14)
  }

  @Test("The Jacobian is −F₁⁻¹ F₂", arguments: ReferenceProblem.all)
  func jacobianFormula(_ problem: ReferenceProblem) throws {
    let expected = try problem.jacobian(try problem.solution())
    for mode in [JacobianMode.forward, .reverse] {
      let layer = problem.layer()
      let found = try jacobian(at: problem.y, mode: mode) { try layer.solution(at: $0).value }
      #expect(relativeError(found, expected) < 1e-12)
    }
  }
}
