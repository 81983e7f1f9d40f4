import Autodiff
import Foundation
import GradientCheck
import Testing

@Suite("Primitives")
struct PrimitiveTests {
  @Test(
    "Derivatives agree with finite differences in both modes to second order",
    arguments: PrimitiveCatalogue.cases)
  func derivatives(_ primitive: PrimitiveCase) throws {
    try requireGradients(at: primitive.inputs, of: primitive.function)
  }

  @Test("The catalogue records every primitive of the sources")
  func isComplete() throws {
    var recorded: Set<String> = []
    var names: Set<String> = []
    for primitive in PrimitiveCatalogue.cases {
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
