import Foundation
import ProgramTestSupport
import Testing

/// The program under test.
let bilevelInference = Program(named: "bilevel-inference")

@Suite("The coverage program") struct CoverageProgramTests {
  @Test("A study leaves tables and plots") func aStudyLeavesTablesAndPlots() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(
      [
        "coverage", "--design", "fqe", "--sizes", "100,200", "--replications", "6", "--landmarks",
        "40", "--methods", "all", "--json", "r.json", "--output", "out",
      ], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    for text in ["n = 100, 6 replications", "n = 200, 6 replications", "KBO, decaying λ"] {
      #expect(result.output.contains(text), "\(result.output)")
    }
    #expect(result.errors.contains("fqe: 12/12 (100 %)"))
    let json = try workspace.json("r.json")
    let rows = try #require(json["summaries"] as? [[String: Any]])
    #expect(rows.count == 16)
    #expect((json["failures"] as? [Any])?.isEmpty == true)
    let csv = try text("out/coverage-fqe.csv", workspace)
    #expect(csv.split(separator: "\n").count == 17)
    #expect(csv.hasPrefix("n,method,replications,bias,sd,rmse,"))
    let svg = try text("out/coverage-fqe.svg", workspace)
    #expect(svg.contains("93–97 %"))
    #expect(svg.contains("residual gradient"))
  }

  /// RMSE, bias and coverage of the table follow from the replications that are kept.
  @Test("Tables follow from the replications") func tablesFollowFromTheReplications() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(
      [
        "coverage", "--design", "paper-b1", "--sizes", "200", "--replications", "30", "--methods",
        "oracle,obigrad", "--json", "r.json",
      ], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let lines = try text("bilevel-inference-output/coverage-paper-b1.jsonl", workspace)
      .split(separator: "\n").dropFirst()
    let records = try lines.map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let methods = try #require(object?["replication"] as? [[String: Any]])
      return try (
        errors: #require(methods[1]["errors"] as? [Double]),
        deviations: #require(methods[1]["standardErrors"] as? [Double])
      )
    }
    #expect(records.count == 30)
    let squares = records.map { $0.errors.reduce(0) { $0 + $1 * $1 } }
    let expected = (squares.reduce(0, +) / 30).squareRoot()
    let hits = records.map { record in
      zip(record.errors, record.deviations).count { abs($0) <= 1.959_963_984_540_054 * $1 }
    }
    let rows = try #require(try workspace.json("r.json")["summaries"] as? [[String: Any]])
    let row = try #require(rows.first { $0["method"] as? String == "obigrad" })
    let found = try #require(row["rootMeanSquare"] as? Double)
    #expect(abs(found - expected) < 1e-14)
    let coverage = try #require(row["coverage"] as? Double)
    #expect(abs(coverage - Double(hits.reduce(0, +)) / 120) < 1e-14)
    let means = (0..<4).map { column in records.reduce(0) { $0 + $1.errors[column] } / 30 }
    let bias = try #require(row["bias"] as? Double)
    #expect(abs(bias - means.reduce(0) { $0 + $1 * $1 }.squareRoot()) < 1e-14)
    let length = try #require(row["length"] as? Double)
    let deviations = records.flatMap(\.deviations)
    let mean = deviations.reduce(0, +) / Double(deviations.count)
    #expect(abs(length - 2 * 1.959_963_984_540_054 * mean) < 1e-12)
    // The orthogonal method is measured by its own length.
    #expect(row["efficientLengthCoverage"] as? Double == coverage)
    let shares = hits.map { Double($0) / 4 }
    let variance = shares.reduce(0) { $0 + ($1 - coverage) * ($1 - coverage) } / 29
    let error = try #require(row["coverageError"] as? Double)
    #expect(abs(error - (variance / 30).squareRoot()) < 1e-14)
  }

  /// What theory says of the Bellman residual without labels, on a small sample of samples.
  @Test("The orthogonal method covers where the others do not")
  func theOrthogonalMethodCoversWhereTheOthersDoNot() throws {
    let rows = try summaries([
      "coverage", "--design", "fqe", "--sizes", "500", "--replications", "60", "--methods",
      "oracle,obigrad,plugin,residual", "--landmarks", "80",
    ])
    let coverage = try rows.map { try #require($0["coverage"] as? Double) }
    let sizes = try rows.map { try #require($0["stationarityRejection"] as? Double) }
    // 240 intervals, of which 0.95 with a standard error of about 0.02.
    #expect(coverage[0] > 0.89)
    #expect(coverage[1] > 0.89)
    #expect(coverage[2] < 0.6)
    #expect(coverage[3] < 0.35)
    #expect(sizes[1] < 0.2)
    #expect(sizes[2] > 0.9)
  }

  /// The scalar root of the paper: an RMSE of 0.0029 at n = 400, and 0.0025 in another replication.
  @Test("The scalar root is as accurate as published") func theScalarRootIsAsAccurateAsPublished()
    throws
  {
    let rows = try summaries([
      "coverage", "--design", "paper-iv4", "--sizes", "400", "--replications", "200", "--methods",
      "obigrad",
    ])
    let root = try #require(rows[0]["root"] as? [String: Any])
    let error = try #require(root["rootMeanSquare"] as? Double)
    #expect((0.0023...0.0033).contains(error), "\(error)")
  }

  @Test("Bands are wider than pointwise intervals") func bandsAreWiderThanPointwiseIntervals()
    throws
  {
    let rows = try summaries([
      "coverage", "--design", "iv", "--sizes", "300", "--replications", "10", "--methods",
      "oracle", "--band", "--draws", "200",
    ])
    let band = try #require(rows[0]["band"] as? [String: Any])
    let critical = try #require(band["meanCriticalValue"] as? Double)
    // 33 numbers that depend on each other; independent ones would have 3.2.
    #expect(critical > 2.4)
    #expect(critical < 3.2)
  }

  @Test(
    "Every design has a study",
    arguments: ["cross-entropy", "two-sample", "paper-iv1", "paper-b2", "fqe-lq"])
  func everyDesignHasAStudy(design: String) throws {
    let rows = try summaries([
      "coverage", "--design", design, "--sizes", "120", "--replications", "2", "--methods",
      "oracle,obigrad",
    ])
    #expect(rows.count == 2)
    let hasRoot = rows[0]["root"] is [String: Any]
    // A root is not identified, or not asked for.
    #expect(hasRoot == !["paper-iv1", "cross-entropy"].contains(design))
  }

  @Test("Methods that fail are named") func methodsThatFailAreNamed() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(
      [
        "coverage", "--design", "paper-b1", "--sizes", "20", "--replications", "2", "--methods",
        "oracle,obigrad", "--ridge-constant", "1e-300",
      ], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      result.output.contains("OBiGrad failed on 2 of the samples of n = 20: "), "\(result.output)")
    #expect(result.output.contains("oracle"))
  }

  private func summaries(_ arguments: [String]) throws -> [[String: Any]] {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(arguments + ["--json", "r.json"], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    return try #require(try workspace.json("r.json")["summaries"] as? [[String: Any]])
  }
}

/// The text of a file.
func text(_ name: String, _ workspace: Workspace) throws -> String {
  try String(contentsOf: workspace.url.appending(path: name), encoding: .utf8)
}
