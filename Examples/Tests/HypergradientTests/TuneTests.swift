import Foundation
import ProgramTestSupport
import Testing

@Suite("Tuning") struct TuneTests {
  /// What `--json` says of one method.
  private struct Result {
    let values: [String: Any]

    init(_ report: [String: Any], _ method: String) throws {
      let results = try #require(report["results"] as? [[String: Any]])
      values = try #require(results.first { $0["method"] as? String == method })
    }

    var isConverged: Bool { values["converged"] as? Bool == true }
    var failure: String? { values["failure"] as? String }
    var gap: Double { values["gap"] as? Double ?? .nan }
    var relativeError: Double { values["relativeError"] as? Double ?? .nan }
    var logPenalties: [Double] { values["logPenalties"] as? [Double] ?? [] }
    var losses: [String: Any] { values["losses"] as? [String: Any] ?? [:] }
    var validationLoss: Double { losses["validation"] as? Double ?? .nan }
    var testLoss: Double { losses["test"] as? Double ?? .nan }
  }

  /// Runs `tune`, which must succeed.
  private func tune(
    _ arguments: [String], in workspace: Workspace
  ) throws -> (output: String, report: [String: Any]) {
    let result = try hypergradient.run(
      ["tune", "--json", "report.json"] + arguments, in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    return (result.output, try workspace.json("report.json"))
  }

  @Test("Consistent methods reach the independent optimum")
  func consistentMethodsReachTheIndependentOptimum() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let (_, report) = try tune(["--methods", "aid,newton,cg5,linearized"], in: workspace)
    let independent = try IndependentOptimum.mpg()
    let optimum = try independent.loss(try independent.solve())
    for method in ["exact", "aid", "newton", "cg5", "linearized"] {
      let result = try Result(report, method)
      #expect(result.isConverged, "\(method)")
      #expect(abs(result.validationLoss - optimum) < 1e-6, "\(method)")
      #expect(abs(try independent.loss(result.logPenalties) - result.validationLoss) < 1e-9)
      #expect(abs(try independent.testLoss(result.logPenalties) - result.testLoss) < 1e-9)
    }
    let baselines = try #require(report["baselines"] as? [String: Any])
    let common = try #require(baselines["common"] as? [String: Any])
    #expect(try #require(common["validation"] as? Double) > optimum)
    let none = try #require(baselines["unregularized"] as? [String: Any])
    let unregularized = try independent.loss([Double](repeating: -.infinity, count: 7))
    #expect(abs(try #require(none["validation"] as? Double) - unregularized) < 1e-9)
  }

  @Test("Approximate methods end elsewhere and say so")
  func approximateMethodsEndElsewhereAndSaySo() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let methods = ["one-step", "identity", "itd-last5"]
    let (output, report) = try tune(
      ["--methods", methods.joined(separator: ","), "--output", "out"], in: workspace)
    let table = try String(
      contentsOf: workspace.url.appending(path: "out/tune-iterations.csv"), encoding: .utf8)
    let figure = try String(
      contentsOf: workspace.url.appending(path: "out/tune.svg"), encoding: .utf8)
    for method in methods {
      let result = try Result(report, method)
      #expect(result.gap > 1e-6, "\(method)")
      #expect(result.relativeError > 0.01, "\(method)")
      #expect(result.values["approximation"] is String)
      #expect(output.contains("\(method) (approximate)"))
      #expect(table.contains("\(method),yes,0,"))
      #expect(figure.contains("\(method) (approximate)"))
    }
    #expect(table.contains("exact,no,0,"))
    #expect(table.contains("logPenalty[feature 1],"))
  }

  @Test("Every method runs", arguments: ["squared", "logistic"])
  func everyMethodRuns(loss: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let methods =
      "exact,aid,newton,cg2,diagonal,lbfgs,linearized,rep-exp,rep-diag,rep-full,rep-newton,itd,"
      + "itd-checkpointed,itd-last3,one-step,identity,value-function,gradient-penalty"
    let (_, report) = try tune(
      ["--loss", loss, "--methods", methods, "--iterations", "4"], in: workspace)
    for method in methods.split(separator: ",") {
      let result = try Result(report, String(method))
      #expect(result.failure == nil, "\(method): \(result.failure ?? "")")
      #expect(result.validationLoss.isFinite)
    }
  }

  /// Interrupted after some iterations and resumed, a run is the same as without the interruption.
  @Test("Resumed run is the same", arguments: ["spectral", "adam"])
  func resumedRunIsTheSame(optimizer: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let options = ["--methods", "aid,newton,itd,value-function", "--optimizer", optimizer]
    func steps(_ report: [String: Any]) throws -> String {
      let runs = try #require(report["runs"] as? [[String: Any]])
      let all = try runs.map { run in
        let steps = try #require(run["steps"] as? [[String: Any]])
        return steps.map { $0.filter { $0.key != "seconds" } }
      }
      let data = try JSONSerialization.data(withJSONObject: all, options: .sortedKeys)
      return String(decoding: data, as: UTF8.self)
    }
    let whole = try tune(options + ["--iterations", "30", "--output", "a"], in: workspace)
    let part = try tune(options + ["--iterations", "12", "--output", "b"], in: workspace)
    let rest = try tune(
      options + ["--iterations", "30", "--output", "c", "--resume", "b/tune-state.jsonl"],
      in: workspace)
    #expect(try steps(part.report) != steps(whole.report))
    #expect(try steps(rest.report) == steps(whole.report))
    for method in ["aid", "newton", "itd", "value-function"] {
      let (a, c) = (try Result(whole.report, method), try Result(rest.report, method))
      #expect(a.logPenalties == c.logPenalties)
      #expect(a.relativeError == c.relativeError)
    }
  }

  @Test("One failure leaves the others") func oneFailureLeavesTheOthers() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    // The second feature is constant, so its coefficient is 0 and has no logarithm.
    let rows = (0..<20).map { "\($0 % 7),\($0 % 3),1,\($0)" }
    try workspace.write((["y,a,b,c"] + rows).joined(separator: "\n") + "\n", to: "d.csv")
    let (output, report) = try tune(
      ["--data", "d.csv", "--methods", "rep-exp,newton", "--iterations", "3"], in: workspace)
    let failure = try #require(try Result(report, "rep-exp").failure)
    #expect(failure.contains("the coefficient of b is 0"))
    #expect(output.contains("rep-exp failed after 0 iterations: the coefficient of b"))
    #expect(try Result(report, "newton").failure == nil)
  }

  @Test("Report says what the losses mean") func reportSaysWhatTheLossesMean() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let (output, _) = try tune(["--methods", "newton", "--iterations", "2"], in: workspace)
    #expect(output.contains("optimistic"))
    #expect(output.contains("neither training nor tuning saw its 45 rows"))
    #expect(output.contains("newton has not converged: the projected hypergradient is"))
    #expect(output.contains("best common one, log -7.26 (low)"))
    let (untested, report) = try tune(
      ["--methods", "newton", "--iterations", "2", "--test-fraction", "0"], in: workspace)
    #expect(untested.contains("There are no test rows"))
    #expect(report["testRows"] as? Int == 0)
  }
}
