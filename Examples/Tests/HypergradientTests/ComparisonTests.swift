import Foundation
import ProgramTestSupport
import Testing

/// What theory says about an estimator on a problem family.
private enum Order: Sendable { case exact, first, second }

/// A family of problems with the orders of its estimators.
private struct Family: CustomTestStringConvertible, Sendable {
  let arguments: [String]
  let orders: [String: Order]

  var testDescription: String { arguments.joined(separator: " ") }
}

private let firstOrder: [String: Order] = [
  "plain": .first, "step-1/L": .first, "diagonal": .first, "diagonal-safe": .first,
  "rep-diag": .first,
]

private let families: [Family] = [
  // The inner problem is quadratic: one Newton step is exact, and so is the full
  // reparameterisation where the outer objective is affine.
  Family(
    arguments: ["ridge", "--outer", "linear", "--simulate", "297x7"],
    orders: firstOrder.merging([
      "newton": .exact, "linearized": .exact, "rep-full": .exact, "rep-newton": .exact,
    ]) { $1 }),
  Family(
    arguments: ["ridge", "--outer", "quadratic", "--simulate", "297x7"],
    orders: firstOrder.merging([
      "newton": .exact, "linearized": .second, "rep-full": .first, "rep-newton": .first,
    ]) { $1 }),
  Family(
    arguments: ["logistic", "--outer", "linear", "--penalties=-1,1", "--simulate", "144x5"],
    orders: firstOrder.merging([
      "newton": .second, "linearized": .second, "rep-full": .first, "rep-newton": .second,
    ]) { $1 }),
  Family(
    arguments: ["logistic", "--penalties=-1,1", "--simulate", "144x5"],
    orders: firstOrder.merging([
      "newton": .second, "linearized": .second, "rep-full": .first, "rep-newton": .first,
    ]) { $1 }),
  Family(
    arguments: ["logistic", "--outer", "inner", "--penalties=-1,1", "--simulate", "144x5"],
    orders: ["plain": .second, "linearized": .second]),
]

@Suite("Comparison") struct ComparisonTests {
  private func estimators(_ arguments: [String]) throws -> [String: [String: Any]] {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try hypergradient.run(arguments + ["--json", "r.json"], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let report = try workspace.json("r.json")
    let rows = try #require(report["estimators"] as? [[String: Any]])
    var named: [String: [String: Any]] = [:]
    for row in rows { named[try #require(row["name"] as? String)] = row }
    return named
  }

  @Test("Slopes and constants are those of the theory", arguments: families)
  fileprivate func slopes(family: Family) throws {
    let names = ["plain"] + family.orders.keys.filter { $0 != "plain" }.sorted()
    let found = try estimators(
      family.arguments + [
        "--points", "random", "--seeds", "3", "--estimators", names.joined(separator: ","),
      ])
    for (name, order) in family.orders {
      let row = try #require(found[name])
      let isExact = try #require(row["isExact"] as? Bool)
      let slope = row["slope"] as? Double
      let ratio = row["efficiencyRatio"] as? Double
      switch order {
      case .exact:
        #expect(isExact, "\(name)")
        #expect(try #require(ratio) < 1e-8, "\(name)")
      case .first:
        #expect(abs(try #require(slope) - 1) <= 0.03, "\(name)")
        // What differentiating the estimator gives is what is measured.
        let measured = try #require(row["constantRatio"] as? Double)
        #expect(measured <= 3 * (try #require(ratio)), "\(name)")
      case .second:
        #expect(abs(try #require(slope) - 2) <= 0.05, "\(name)")
        if name != "plain" { #expect(ratio.map { $0 < 1e-6 } ?? true, "\(name)") }
      }
    }
  }

  @Test("On the published data gradient descent leaves Newton and CG steps second order")
  func path() throws {
    let found = try estimators([
      "logistic", "--penalties=-1,1", "--seeds", "2", "--estimators", "plain,newton,cg5,rep-diag",
    ])
    for (name, slope) in [("plain", 1.0), ("newton", 2.0), ("cg5", 2.0), ("rep-diag", 1.0)] {
      #expect(abs(try #require(found[name]?["slope"] as? Double) - slope) <= 0.1, "\(name)")
    }
  }

  @Test("Baselines stay wrong and are called approximate")
  func baselines() throws {
    let found = try estimators([
      "ridge", "--simulate", "60x4", "--points", "random", "--seeds", "2", "--estimators",
      "plain,identity-inverse,one-step,neumann-10",
    ])
    for name in ["identity-inverse", "one-step", "neumann-10"] {
      let row = try #require(found["\(name) (approximate)"])
      #expect(abs(try #require(row["slope"] as? Double)) < 0.5, "\(name)")
    }
  }

  @Test("A run leaves a table and a picture with a line to each estimator")
  func files() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try hypergradient.run(
      ["ridge", "--seeds", "1", "--estimators", "all", "--output", "out"], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let picture = try String(
      contentsOf: workspace.url.appending(path: "out/ridge.svg"), encoding: .utf8)
    let table = try String(
      contentsOf: workspace.url.appending(path: "out/ridge-errors.csv"), encoding: .utf8)
    for name in ["plain", "newton", "rep-kappa", "one-step (approximate)"] {
      #expect(picture.contains(name))
      #expect(table.contains(name))
      #expect(result.output.contains(name))
    }
  }
}
