import Autodiff
import Foundation
import TestSupport
import Testing

/// Programmer errors stop the program and say what was expected, what was found and what to do, in
/// optimised builds too.
@Suite("Messages of programmer errors")
struct MessageTests {
  private func expect(_ result: ExitTest.Result?, _ parts: String...) {
    let text = errorText(result)
    for part in parts { #expect(text.contains(part), "“\(part)” is not in: \(text)") }
  }

  @Test("Shapes that do not broadcast")
  func broadcast() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2, 3]) + Tensor.zeros([4])
    }
    expect(result, "+: shapes [2, 3] and [4] do not broadcast")
  }

  @Test("Inner sizes of a matrix product, with a hint")
  func matrixProduct() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = matmul(Tensor.zeros([2, 3]), Tensor.zeros([4, 3]))
    }
    expect(
      result, "matmul: the inner sizes of [2, 3] and [4, 3] differ: 3 and 4",
      "transposeB: true would fit")
  }

  @Test("Mixed scalar types")
  func scalarTypes() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2], .float32) * Tensor.zeros([2], .float64)
    }
    expect(result, "*: operands have scalar types float32 (shape [2]) and float64")
  }

  @Test("Gradient of a non-scalar")
  func nonScalar() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = gradient(at: Tensor([1, 2])) { x in x * x }
    }
    expect(result, "gradient: the function returned [2] float64", "jacobian(at:of:)")
  }

  @Test("An argument that the function does not use")
  func unused() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = gradient(at: ["used": Tensor(1), "forgotten": Tensor(2)]) { tree in
        (tree["used"] ?? Tensor(0)) * 2
      }
    }
    expect(result, "the result does not depend on argument 0.forgotten", "unused: .zero")
  }

  @Test("Reading numbers out of a tensor that is being differentiated")
  func readingTraced() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = gradient(at: Tensor(2)) { x in x * x.scalar }
    }
    expect(result, "scalar: this tensor of shape [] is being differentiated", "stopGradient")
  }

  @Test("A custom function that captures a tensor differentiated with its arguments")
  func captured() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = gradient(at: Tensor(2), Tensor(3)) { x, w in checkpointed(at: x) { x in w * x } }
    }
    expect(result, "checkpointed: the closure captures a tensor", "Pass the tensor as an argument")
  }

  @Test("A rule that returns the wrong shape")
  func wrongRuleShape() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let f = CustomDerivative<Tensor, Tensor, Never>(
        name: "broken", evaluate: { $0 * 2 }, vjp: { _, _, ȳ in ȳ.sum() })
      _ = gradient(at: Tensor([1, 2])) { f($0).sum() }
    }
    expect(
      result, "broken: the cotangent returned by its VJP rule is [] float64, expected [2] float64")
  }

  @Test("A tangent of the wrong shape")
  func wrongTangent() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = jvp(at: Tensor([1, 2]), along: Tensor([1, 2, 3])) { $0 * 2 }
    }
    expect(result, "jvp: the tangent of argument 0 is [3] float64, expected [2] float64")
  }

  @Test("Using a differentiated tensor on another thread")
  func otherThread() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = gradient(at: Tensor(2)) { x in
        let thread = Thread { _ = x * x }
        thread.start()
        while !thread.isFinished { usleep(1000) }
        return x
      }
    }
    expect(result, "*: a tensor is used on another thread", "stopGradient(tensor)")
  }

  @Test("Axes, indices and slices outside a shape")
  func outside() async {
    let axis = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2, 3]).sum(alongAxis: 2)
    }
    expect(axis, "sum: axis 2 does not exist in shape [2, 3], which has rank 2")
    let index = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2, 3]).gathering(Tensor(indices: [0, 2]), alongAxis: 0)
    }
    expect(index, "gathering: index 2 at position 1 is not in 0..<2")
    let slice = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2, 3])[.all, 1..<5]
    }
    expect(slice, "subscript: 1..<5 is not inside axis 1 of shape [2, 3]")
  }

  @Test("The line of the operation that stopped and those of its callers, without registers")
  func place() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      // Swift Testing switches backtraces off.
      unsetenv("SWIFT_BACKTRACE")
      slopeOfMistake()
    }
    #if os(Linux)
      expect(
        result, "MessageTests.swift:\(mistakeLine): Fatal error: +: shapes [2] and [3]",
        "called from", "MessageTests.swift:\(mistakeLine - 5)\n")
      let text = errorText(result)
      for part in ["Registers", "ProgrammerError.swift", "Sources/Autodiff"] {
        #expect(!text.contains(part), "“\(part)” is in: \(text)")
      }
    #endif
  }
}

#if os(Linux)
  @Test("Lines are those outside the modules of this package, which the library knows by name")
  func modules() throws {
    let root = #filePath.components(separatedBy: "/Tests/")[0]
    let folders = try FileManager.default.contentsOfDirectory(atPath: "\(root)/Sources")
    // Modules in C have names that no Swift symbol starts with.
    #expect(Set(libraryModules) == Set(folders.filter { !$0.hasPrefix("C") }))
  }
#endif

@inline(never)
private func slopeOfMistake() {
  _ = gradient(at: Tensor([1, 2])) { x in mistake(x).sum() }
}

@inline(never)
private func mistake(_ x: Tensor) -> Tensor {
  let y = x + Tensor([1, 2, 3])
  return y * y
}

private let mistakeLine = #line - 4
