import Autodiff
import Testing
import TestSupport

private struct Affine: TensorTree {
  var weight: Tensor
  var bias: Tensor?
  var scales: [String: Tensor]

  mutating func visitTensors(_ visitor: inout TensorVisitor) {
    visitor.visit(&weight, "weight")
    visitor.visit(&bias, "bias")
    visitor.visit(&scales, "scales")
  }
}

@Suite("Transforms")
struct TransformTests {
  private let a = Tensor(rows: [[1, 2, 3], [4, 5, 6]])

  @Test("A gradient has the structure of its arguments, and leaves have names")
  func trees() {
    let model = Affine(
      weight: a, bias: Tensor([0.5, -1]), scales: ["b": Tensor(2), "a": Tensor(3)])
    #expect(model.tensorPaths == ["weight", "bias", "scales.a", "scales.b"])
    let x = Tensor([1, 0, -1])
    let (value, (slope, dx)) = valueWithGradient(at: model, x) { model, x in
      let y = matmul(model.weight, x) + (model.bias ?? Tensor(0))
      return (y * y).sum() * (model.scales["a"] ?? Tensor(0)) + (model.scales["b"] ?? Tensor(0))
    }
    // y = (−1.5, −3); Σy² = 11.25.
    #expect(value.scalar == 35.75)
    #expect(slope.bias?.scalars == [-9, -18])
    #expect(slope.weight.scalars == [-9, 0, 9, -18, 0, 18])
    #expect(slope.scales["a"]?.scalar == 11.25)
    #expect(slope.scales["b"]?.scalar == 1)
    #expect(dx.scalars == [-81, -108, -135])
  }

  @Test("A pullback may be called more than once and is linear")
  func repeatedPullback() {
    let (y, pullback) = vjp(at: a) { a in matmul(a, a, transposeB: true) }
    let seed = Tensor(rows: [[1, 2], [0, -1]])
    let first = pullback(seed)
    #expect(y.shape == [2, 2])
    #expect(first.isBitwiseEqual(to: pullback(seed)))
    #expect(pullback(2 * seed).isBitwiseEqual(to: 2 * first))
    // Ȳ A + Ȳᵀ A.
    let expected = matmul(seed + seed.transposed(), a)
    #expect(first.isBitwiseEqual(to: expected))
  }

  @Test("A pullback can be differentiated in its cotangent and through its point")
  func differentiatedPullback() {
    let second = gradient(at: Tensor(2)) { x in
      let (_, pullback) = vjp(at: x) { $0 * $0 * $0 }
      return pullback(x)  // 3x² · x
    }
    #expect(second.scalar == 36)
  }

  @Test("linearize agrees with jvp and runs the function once")
  func linearization() {
    var runs = 0
    let (value, differential) = linearize(at: a, Tensor(2)) { a, s in
      runs += 1
      return exp(a * 0.1) * s
    }
    let direction = Tensor(rows: [[1, -1, 2], [0, 1, 0.5]])
    for scale in [1.0, -2.0] {
      let tangent = differential(scale * direction, Tensor(0.3))
      let expected = jvp(at: a, Tensor(2), along: scale * direction, Tensor(0.3)) { a, s in
        exp(a * 0.1) * s
      }
      #expect(expected.value.isBitwiseEqual(to: value))
      #expect(isClose(tangent, expected.tangent))
    }
    #expect(runs == 1)
  }

  @Test("Jacobians agree in both modes and with the closed form")
  func jacobians() {
    let m = Tensor(rows: [[2, -1, 0.5], [0, 3, 1]])
    let x = Tensor([0.3, -0.2, 0.9])
    let f = { (x: Tensor) in sin(matmul(m, x)) }
    let expected = cos(matmul(m, x)).expandingShape(at: 1) * m
    for mode in [JacobianMode.automatic, .forward, .reverse] {
      let result = jacobian(at: x, mode: mode, of: f)
      #expect(result.shape == [2, 3])
      #expect(isClose(result, expected))
    }
    #expect(jacobian(at: Tensor(2)) { x in x * x }.scalar == 4)
    #expect(jacobian(at: Tensor([])) { x in x * x }.shape == [0, 0])
  }

  @Test("Blocks of Jacobians and Hessians of several trees, in both modes")
  func blocks() {
    let (x, y) = (Tensor([1, 2]), Tensor([3, -1, 0.5]))
    let direction = ["a": Tensor(2), "b": Tensor(indices: [7])]
    for mode in [JacobianMode.automatic, .forward, .reverse] {
      // (x ⊗ y, a · Σx): three inputs that matter and one of indices.
      let result = jacobianBlocks(at: x, y, direction, mode: mode) { x, y, tree in
        [outer(x, y), (tree["a"] ?? Tensor(0)) * x.sum()]
      }
      #expect(result.outputPaths == ["0", "1"])
      #expect(
        result.inputPaths == ["argument 0", "argument 1", "argument 2.a", "argument 2.b"])
      let byX = result[output: 0, input: 0]
      #expect(byX.shape == [2, 3, 2])
      for i in 0..<2 {
        for j in 0..<3 {
          for k in 0..<2 { #expect(byX[i, j, k].scalar == (i == k ? y[j].scalar : 0)) }
        }
      }
      #expect(result[output: 1, input: 0].scalars == [2, 2])
      #expect(result[output: 1, input: 1].scalars == [0, 0, 0])
      #expect(result[output: 1, input: 2].scalar == 3)
      #expect(result[output: 0, input: 3].shape == [2, 3, 1])
    }
    // f = xᵀ x · Σ y²: ∂²f/∂x∂y = 2 x ⊗ 2 y.
    let second = hessianBlocks(at: x, y) { x, y in dot(x, x) * square(y).sum() }
    #expect(isClose(second[output: 0, input: 1], outer(2 * x, 2 * y)))
    #expect(isClose(second[output: 1, input: 0], outer(2 * y, 2 * x)))
    #expect(isClose(second[output: 1, input: 1], 10 * Tensor.identity(3)))
  }

  @Test("The Hessian and its products agree with the closed form")
  func hessians() {
    let m = symmetrized(Tensor(rows: [[2, -1, 0.5], [0, 3, 1], [1, 1, 1]]))
    let x = Tensor([0.3, -0.2, 0.9])
    let f = { (x: Tensor) in 0.5 * dot(x, matmul(m, x)) + (x * x * x * x).sum() }
    let expected = m + (12 * x * x).embeddedDiagonal()
    #expect(isClose(hessian(at: x, of: f), expected))
    let v = Tensor([1, -2, 0.5])
    #expect(isClose(hvp(at: x, along: v, of: f), matmul(expected, v)))
    let linear = hessian(at: x) { x in (2 * x).sum() }
    #expect(linear.scalars.allSatisfy { $0 == 0 })
  }

  @Test("Throwing closures throw their own error through every transform")
  func throwing() {
    let singular = Tensor.zeros([2, 2])
    let b = Tensor.ones([2, 1])
    #expect(throws: LinearAlgebraError.singular(pivot: 0, matrix: 0)) {
      try gradient(at: singular) { a throws(LinearAlgebraError) in try solve(a, b).sum() }
    }
    #expect(throws: LinearAlgebraError.singular(pivot: 0, matrix: 0)) {
      try hvp(at: singular, along: singular) { a throws(LinearAlgebraError) in
        try solve(a, b).sum()
      }
    }
  }

  @Test("A derivative rule that fails throws through the transform, and through a pullback")
  func failingRule() throws {
    let identity = Tensor.identity(2)
    #expect(throws: LinearAlgebraError.equalEigenvalues(first: 0, second: 1, matrix: 0)) {
      try gradient(at: identity) { a throws(LinearAlgebraError) in
        try symmetricEigen(a).vectors.sum()
      }
    }
    let (_, pullback) = try vjp(at: identity) { a throws(LinearAlgebraError) in
      try symmetricEigen(a).vectors
    }
    #expect(throws: LinearAlgebraError.self) { try pullback(identity) }
    // A symmetric function of equal eigenvalues is differentiable: ∂ Σw / ∂A = I.
    let slope = try gradient(at: identity) { a throws(LinearAlgebraError) in
      try symmetricEigenvalues(a).sum()
    }
    #expect(isClose(slope, identity))
  }

  @Test("Integer leaves are held fixed and unused arguments can be asked for zeros")
  func nonDifferentiableLeaves() {
    let labels = Tensor(indices: [2, 0])
    let (slope, labelSlope, unused) = gradient(
      at: a, labels, Tensor([1, 2]), unused: .zero
    ) { a, labels, _ in
      (a * Tensor.oneHot(labels, depth: 3)).sum()
    }
    #expect(slope.scalars == [0, 0, 1, 1, 0, 0])
    #expect(labelSlope.scalars == [0, 0])
    #expect(unused.scalars == [0, 0])
  }
}
