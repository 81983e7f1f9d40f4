import Foundation
import ProgramTestSupport
import Testing

@Suite("Descent") struct DescentTests {
  /// The scalar problem is quadratic with curvature 12: every step shrinks the distance to the sample's own
  /// root by 1 − 0.05 · 12 = 0.4, which ends near the true root 2.
  @Test("Descent ends at the root") func descentEndsAtTheRoot() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(
      ["descent", "--steps", "30", "--json", "r.json", "--output", "out"], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let steps = try #require(try workspace.json("r.json")["steps"] as? [[String: Any]])
    #expect(steps.count == 31)
    let last = try #require(steps.last)
    #expect(try #require(last["gradientNorm"] as? Double) < 1e-6)
    #expect(try #require(last["pValue"] as? Double) > 0.99)
    #expect(abs(try #require((last["point"] as? [Double])?.first) - 2) < 0.01)
    let norms = try steps.prefix(10).map { try #require($0["gradientNorm"] as? Double) }
    for (earlier, later) in zip(norms, norms.dropFirst()) {
      #expect((0.3...0.6).contains(later / earlier))
    }
    // At the start φ = −3 j² − 6.5 j η − j ε with j = 2 ΣX of variance 12: of deviation 51.4, so the bound
    // is 1.96 · 51.4 / √800 above the estimate, up to the error of a variance of heavy tails.
    let first = try #require(steps.first)
    let bound = try #require(first["normBound"] as? Double)
    let margin = bound - (try #require(first["gradientNorm"] as? Double))
    #expect(abs(margin / 3.562 - 1) < 0.2, "\(margin)")
    let csv = try text("out/descent-paper-iv4.csv", workspace)
    #expect(csv.split(separator: "\n").count == 32)
  }

  /// With curvature 12 a step of 1 multiplies the distance by −11.
  @Test("A diverging step is named", arguments: ["1", "1e300"]) func aDivergingStepIsNamed(
    step: String
  ) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(["descent", "--step", step], in: workspace.url)
    #expect(result.status == 1)
    #expect(result.errors.contains("Error: the descent diverged: after "))
    #expect(result.errors.contains("use a smaller --step"))
  }

  @Test("Steps are checked") func stepsAreChecked() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(["descent", "--step", "0"], in: workspace.url)
    #expect(result.status != 0)
    #expect(result.errors.contains("--step must be a positive number"))
  }
}
