import Autodiff
import GradientCheck
import TestSupport
import Testing

private struct Model: TensorTree {
  var weight: Tensor
  var bias: Tensor

  func callAsFunction(_ x: Tensor) -> Tensor { tanh(matmul(x, weight) + bias) }
}

private struct Forgetful: TensorTree {
  var weight = Tensor(2)
  var bias = Tensor(3)
  mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&weight, "weight") }
}

private struct Outer: TensorTree {
  var inner = Forgetful()
}

/// What a function captures, and what a tree leaves out.
@Suite("Gradient checks of captured and forgotten tensors")
struct CapturedTensorTests {
  private let model = Model(
    weight: Tensor([0.3, -0.2, 0.5, 0.1, 0.7, -0.4], shape: [3, 2]).cast(to: .float32),
    bias: Tensor([0.1, -0.3]).cast(to: .float32))
  private let inputs = Tensor([0.2, -1, 0.4, 0.9, 0.5, -0.7], shape: [2, 3]).cast(to: .float32)

  @Test("A float32 model that captures float32 inputs is checked in both precisions")
  func captured() throws {
    let targets = Tensor([1, 0, 0, 1], shape: [2, 2]).cast(to: .float32)
    let report = try requireGradients(at: model) { model in
      square(model(inputs) - targets).mean()
    }
    #expect(report.outcome(of: .singlePrecision) == .passed)
    #expect(report.outcome(of: .forwardOverForward) == .passed)
    try requireGradients(at: model, options: GradientCheckOptions(precision: .asGiven)) {
      square($0(inputs) - targets).mean()
    }
  }

  @Test("Every operation of two tensors takes a captured float32 operand")
  func operations() throws {
    let point = Tensor([1.5, 0.5, 0.25, 2], shape: [2, 2]).cast(to: .float32)
    let c = Tensor([2, 0.3, 0.1, 1], shape: [2, 2]).cast(to: .float32)
    try requireGradients(at: point) { x in
      let mask = (x .> c) .& (c .<= 1)
      let joined = Tensor.concatenated([c, select(mask, x, c), select(mask, c, x)], alongAxis: 0)
      return [
        c + x, c - x, x * c, c / x, pow(x, c), maximum(x, c), minimum(c, x), matmul(c, x),
        matmul(x, c[0]), try solve(c, x), try solve(x, c), joined, outer(c[0], x[0]),
        Tensor.stacked([c, x]), x * c.elements(as: Float.self).map(Double.init).reduce(0, +),
      ]
    }
  }

  @Test("A rule of its own that captures a float32 tensor")
  func rule() throws {
    let factor = Tensor([2, 3]).cast(to: .float32)
    let f = CustomDerivative<Tensor, Tensor, Never>(
      name: "scaled", evaluate: { sin($0 * factor) },
      jvp: { x, _, tangent in factor * cos(x * factor) * tangent })
    try requireGradients(at: Tensor([0.4, 0.7]).cast(to: .float32)) { f($0) }
  }

  @Test("A wrong derivative is still found")
  func wrong() {
    let x = Tensor([0.4, 0.7]).cast(to: .float32)
    let report = checkGradients(at: x) { x in
      x * Tensor([1, 2]).cast(to: .float32) * stopGradient(x)
    }
    #expect(report.outcome(of: .reverse) == .failed)
  }

  @Test("Outside a check types are never mixed, and a stop within one says what to do")
  func stops() async {
    func text(_ result: ExitTest.Result?) -> String {
      errorText(result)
    }
    let outside = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = checkGradients(at: Tensor([1.0]).cast(to: .float32)) { $0 * 2 }
      _ = Tensor([1.0]) * Tensor([1.0]).cast(to: .float32)
    }
    #expect(text(outside).contains("types are never mixed silently"))
    #expect(!text(outside).contains("precision: .asGiven"))
    let within = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = checkGradients(at: Tensor([1.0]).cast(to: .float32)) { x in
        x * Tensor(Double(x.elements(as: Int32.self)[0]))
      }
    }
    #expect(text(within).contains("elements(as:): expected a tensor of int32, found float64"))
    #expect(text(within).contains("pass precision: .asGiven"))
  }

  @Test("A tree that forgets a tensor fails the check, and the report names it")
  func forgotten() throws {
    let failure = #expect(throws: GradientCheckFailure.self) {
      try requireGradients(at: Tensor(1), Forgetful()) { x, tree in x * tree.weight * tree.bias }
    }
    let report = try #require(failure?.report)
    #expect(report.outcome(of: .structure) == .failed)
    #expect(report.disagreements.map(\.leaf) == ["argument 1.bias"])
    #expect("\(report)".contains("Forgetful.bias is a tensor that visitTensors leaves out"))
    let nested = checkGradients(at: Outer()) { $0.inner.weight }
    #expect(nested.disagreements.map(\.leaf) == ["argument 0.inner.bias"])
    let result = checkGradients(at: Tensor(1)) { x in ["made": Forgetful(weight: x, bias: x)] }
    #expect(result.disagreements.map(\.leaf) == ["output.made.bias"])
  }
}
