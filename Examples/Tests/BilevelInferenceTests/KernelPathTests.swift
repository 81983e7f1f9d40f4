import Foundation
import ProgramTestSupport
import Testing

@Suite("Kernel paths") struct KernelPathTests {
  @Test("Total errors split into bias and the rest") func totalErrorsSplitIntoBiasAndTheRest()
    throws
  {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(
      [
        "kbo-path", "--design", "paper-iv4", "--size", "150", "--ridges", "0.01,0.1",
        "--replications", "12", "--json", "r.json", "--output", "out",
      ], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let json = try workspace.json("r.json")
    let levels = try #require(json["levels"] as? [[String: Any]])
    let biases = try levels.map { try #require($0["exactRootBias"] as? Double) }
    #expect(abs(biases[0] - 0.2351) < 5.1e-5)
    #expect(biases[1] > biases[0])
    let total = try #require((levels[0]["total"] as? [String: Any])?["root"] as? Double)
    #expect((0.2...0.4).contains(total), "\(total)")
    let own = try #require((json["obigrad"] as? [String: Any])?["root"] as? Double)
    #expect(own < 0.05 * total)
    for file in ["csv", "svg", "jsonl"] {
      #expect(try !text("out/kbo-path-paper-iv4.\(file)", workspace).isEmpty)
    }
    #expect(result.output.contains("KBO, λ = 0.01"))
  }

  @Test("Binary inputs have no exact bias") func binaryInputsHaveNoExactBias() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let arguments = [
      "kbo-path", "--design", "paper-b4", "--size", "60", "--ridges", "1e-05,0.1",
      "--replications", "3", "--json", "r.json",
    ]
    let result = try bilevelInference.run(arguments, in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("KBO, λ = 1e-5"))
    let levels = try #require(try workspace.json("r.json")["levels"] as? [[String: Any]])
    #expect(levels[0]["exactBias"] == nil)
    let refused = try bilevelInference.run(
      arguments + ["--resume", "--bandwidth", "3"], in: workspace.url)
    #expect(refused.errors.contains("--bandwidth was 1.19"), "\(refused.errors)")
  }
}
