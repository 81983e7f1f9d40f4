import Autodiff
import Bilevel
import TestSupport
import Testing

@Suite("Second derivatives of approximate adjoints")
struct FuncIDRefusalTests {
  private static let x = Tensor.linearSpace(from: -1, to: 1, count: 8).reshaped(to: [8, 1])

  /// Σ h(x b)² for labels a y; quadratic, so that the derivative in a is not constant.
  private static func loss(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    let layer = FuncID<Tensor, Tensor>(
      outputCount: 1, in: .linear(LinearClass(ridge: 0.1) { $0 }), adjoint: .features(ridge: 0.1)
    ) { _, v, _, y in square(v - y).sum(alongAxis: 1) }
    let h = try layer.solution(
      at: Tensor(0), on: FunctionalSample(inputs: x, labels: sin(a * x)))
    return square(try h(x * b)).sum()
  }

  /// The derivative in one variable of the derivative in another, outermost last.
  private static func second(_ kind: Int, _ isInnerReverse: Bool, _ isOuterReverse: Bool) throws {
    _ = try derivative(
      { outer in
        try derivative(
          { inner in
            switch kind {
            case 0: try loss(inner * outer, Tensor(1))
            case 1: try loss(inner, outer)
            default: try loss(outer, inner)
            }
          }, isReverse: isInnerReverse)(Tensor(0.7))
      }, isReverse: isOuterReverse)(Tensor(1.1))
  }

  @Test("Every mixture of modes and variables is refused", arguments: 0..<12)
  func refused(index: Int) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [index] in
      try FuncIDRefusalTests.second(index / 4, index & 1 == 1, index & 2 == 2)
    }
    let text = errorText(result)
    #expect(text.contains("only its first derivative is defined"))
  }

  @Test("First derivatives inside a transform of something else are allowed")
  func first() throws {
    let slope = try gradient(at: Tensor(0.7)) { a throws -> Tensor in
      try Self.loss(a, Tensor(1))
    }
    let scaled = try gradient(at: Tensor(2)) { c throws -> Tensor in
      let h = try Self.loss(Tensor(0.7), Tensor(1))
      return c * h
    }
    let step = 1e-5
    let difference =
      (try Self.loss(Tensor(0.7 + step), Tensor(1)).scalar
        - (try Self.loss(Tensor(0.7 - step), Tensor(1)).scalar)) / (2 * step)
    #expect(abs(slope.scalar - difference) < 1e-7)
    #expect(scaled.scalar == (try Self.loss(Tensor(0.7), Tensor(1)).scalar))
  }
}
