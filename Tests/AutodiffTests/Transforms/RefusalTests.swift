import Autodiff
import Foundation
import TestSupport
import Testing

/// A tree that is a class, which transforms would overwrite.
private final class SharedModel: TensorTree {
  var weight: Tensor
  init(_ weight: Tensor) { self.weight = weight }
  func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&weight, "weight") }
}

private struct Holder: TensorTree {
  var shared: SharedModel
  mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&shared, "shared") }
}

/// What would be silently wrong is refused.
@Suite("Refusals")
struct RefusalTests {
  private func expect(_ result: ExitTest.Result?, _ parts: String...) {
    let text = errorText(result)
    for part in parts { #expect(text.contains(part), "“\(part)” is not in: \(text)") }
  }

  @Test("Classes as trees")
  func classes() async {
    let whole = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = gradient(at: SharedModel(Tensor(3))) { $0.weight * $0.weight }
    }
    expect(whole, "TensorTree: SharedModel is a class")
    let part = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = gradient(at: Holder(shared: SharedModel(Tensor(3)))) { $0.shared.weight }
    }
    expect(part, "TensorTree: SharedModel is a class")
  }

  @Test("Trees whose leaves have other names")
  func otherNames() async {
    let keys = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let point = ["a": Tensor(2), "b": Tensor(3)]
      let tangent = ["b": Tensor(1), "c": Tensor(0)]
      _ = jvp(at: point, along: tangent) { ($0["a"] ?? Tensor(0)) * ($0["b"] ?? Tensor(0)) }
    }
    expect(keys, "the tangent has a tensor argument 0.b where argument 0.a is expected")
  }

  @Test("An argument that the result depends on only through a constant")
  func throughAConstant() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = gradient(at: Tensor(2), Tensor(3)) { x, y in x * stopGradient(x * y) }
    }
    expect(result, "the result does not depend on argument 1")
  }

  @Test("A function that returns its argument has gradient one")
  func identity() {
    #expect(gradient(at: Tensor(3)) { x in x }.isBitwiseEqual(to: Tensor(1)))
  }

  @Test("Scalars that the tensor's type cannot hold, and the negative of a mask")
  func scalars() async {
    let fraction = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor(indices: [1, 2]) * 0.5
    }
    expect(fraction, "the scalar 0.5 is not a value of int32; cast(to:) the tensor first")
    let mask = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = -Tensor(mask: [true])
    }
    expect(mask, "-: not defined for bool")
  }

  @Test("A single rule that is not linear has no transpose")
  func affineRule() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let f = CustomDerivative<Tensor, Tensor, Never>(
        name: "affine", evaluate: { $0 }, jvp: { _, _, tangent in tangent + 1 })
      _ = gradient(at: Tensor(2)) { f($0) }
    }
    expect(result, "affine: the tangent returned by its JVP rule for zero is not zero")
    let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let f = CustomDerivative<Tensor, Tensor, Never>(
        name: "bad", evaluate: { $0 }, jvp: { _, _, tangent in tangent.sum() })
      _ = gradient(at: Tensor([1, 2])) { f($0).sum() }
    }
    expect(shape, "bad: the tangent returned by its JVP rule is [] float64, expected [2] float64")
  }

  @Test("Eigenvectors of eigenvalues that are equal to rounding", arguments: 1...8)
  func nearlyEqualEigenvalues(seed: UInt64) throws {
    var generator = PhiloxGenerator(seed: seed)
    let b = Tensor.normal([3, 3], using: &generator)
    let q = try symmetricEigen(symmetrized(b)).vectors
    let a = matmul(q * Tensor([1, 1, 2]), q, transposeB: true)
    #expect(throws: LinearAlgebraError.self) {
      try gradient(at: a) { a throws(LinearAlgebraError) in
        try symmetricEigen(a).vectors.sum()
      }
    }
    // Apart by far more than rounding: Σ w³ = tr A³, whose gradient is 3 A².
    let apart = matmul(q * Tensor([1, 1.001, 2]), q, transposeB: true)
    let slope = try gradient(at: apart) { a throws(LinearAlgebraError) in
      let (w, v) = try symmetricEigen(a)
      return matmul(v * (w * w * w).expandingShape(at: 0), v, transposeB: true).trace()
    }
    #expect(isClose(slope, 3 * matmul(apart, apart), tolerance: 1e-10))
  }

  @Test("Matrices that are not finite")
  func notFinite() {
    let a = Tensor(rows: [[1, .nan], [0, 1]])
    #expect(throws: LinearAlgebraError.notFinite(matrix: 0)) { try solve(a, Tensor.ones([2, 1])) }
    #expect(throws: LinearAlgebraError.notFinite(matrix: 0)) { try logAbsoluteDeterminant(a) }
  }

  @Test("Integer outputs of a custom function are constants in both modes")
  func integerOutputs() {
    let f = CustomDerivative<Tensor, [Tensor], Never>(
      name: "counted", evaluate: { [$0 * 2, Tensor(indices: [7])] },
      jvp: { _, _, tangent in [tangent * 2, Tensor(indices: [0])] })
    let reverse = gradient(at: Tensor(3)) { x in
      let outputs = f(x)
      #expect(outputs[1].scalar == 7)
      return outputs[0]
    }
    let forward = jvp(at: Tensor(3), along: Tensor(1)) { x in
      let outputs = f(x)
      #expect(outputs[1].scalar == 7)
      return outputs[0]
    }
    #expect(reverse.scalar == 2)
    #expect(forward.tangent.scalar == 2)
  }
}
