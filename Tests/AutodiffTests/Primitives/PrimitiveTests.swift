import Autodiff
import Foundation
import GradientCheck
import Testing
import TestSupport

@Suite("Primitives")
struct PrimitiveTests {
  @Test(
    "Derivatives agree with finite differences in both modes to second order",
    arguments: PrimitiveCatalogue.cases)
  func derivatives(_ primitive: PrimitiveCase) throws {
    try requireGradients(at: primitive.inputs, of: primitive.function)
  }

  @Test("Casts pass derivatives on in both modes and to second order")
  func casts() throws {
    let x = PrimitiveCatalogue.cast.inputs[0]
    let direction = Tensor([1, -2, 0.5])
    let cube = { (x: Tensor) throws -> Tensor in try PrimitiveCatalogue.cast.function([x])[0] }
    let (_, pullback) = try vjp(at: x, of: cube)
    let first = [
      try pullback(direction), try jvp(at: x, along: direction, of: cube).tangent,
    ]
    for derivative in first {
      #expect(derivative.scalarType == .float64)
      #expect(isClose(derivative, 3 * x * x * direction, tolerance: 1e-6))
    }
    let second = try hvp(at: x, along: direction) { x throws in try cube(x).sum() }
    #expect(isClose(second, 6 * x * direction, tolerance: 1e-6))
  }

  @Test("The catalogue records every primitive of the sources")
  func isComplete() throws {
    var recorded: Set<String> = []
    var names: Set<String> = []
    for primitive in PrimitiveCatalogue.cases + [PrimitiveCatalogue.cast] {
      for operation in try recordedOperations(at: primitive.inputs, of: primitive.function) {
        recorded.insert(operation.primitive)
        names.insert(operation.name)
      }
    }
    let declared = try declaredPrimitives()
    #expect(declared.count > 20)
    #expect(recorded == declared)
    for function in ElementwiseUnary.Function.allCases { #expect(names.contains("\(function)")) }
    for function in ElementwiseBinary.Function.allCases {
      #expect(names.contains(function.rawValue))
    }
  }

  /// Names of the types that the sources declare to be primitives.
  private func declaredPrimitives() throws -> Set<String> {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources/Autodiff")
    let files = try #require(
      FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
    let declaration = /struct\s+(\w+)(<[^{]*?>)?\s*:\s*[^{]*?\b(Unary|Linear)?Primitive\b/
    var names: Set<String> = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: declaration) { names.insert(String(match.1)) }
    }
    return names
  }
}
