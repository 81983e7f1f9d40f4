import Foundation
import ProgramTestSupport
import Testing

/// Runs of seconds, which show nothing about the methods.
struct DSpritesRuns {
  static let quick = ["dsprites", "--size", "60", "--iterations", "2", "--inner-steps", "2"]

  let workspace: Workspace
  /// The directory of the runs below that of the output.
  static let runs = "iv-regression-output/dsprites-runs"

  /// The out-of-sample errors in a report, by method.
  func errors(_ report: String) throws -> [String: [Double]] {
    let methods = try #require(try workspace.json(report)["methods"] as? [[String: Any]])
    return try Dictionary(
      uniqueKeysWithValues: methods.map { method in
        (
          try #require(method["method"] as? String),
          try #require(method["outOfSampleErrors"] as? [Double])
        )
      })
  }

  /// The names of the files of runs.
  func files() throws -> [String] {
    let directory = workspace.url.appending(path: Self.runs).path
    return try FileManager.default.contentsOfDirectory(atPath: directory)
      .filter { !$0.hasPrefix(".") }.sorted()
  }
}

@Suite("The dSprites study") struct DSpritesProgramTests {
  @Test("Every method ends in table figure and JSON") func everyMethodEndsInTableFigureAndJSON()
    throws
  {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(
      DSpritesRuns.quick + ["--runs", "2", "--jobs", "2", "--json", "r.json"], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    for title in [
      "DFIV", "FuncID", "FuncID linear", "AID", "ITD", "gradient penalty", "value function",
    ] {
      #expect(result.output.contains("\n  \(title)  "), "\(title)")
    }
    #expect(result.errors.contains("dsprites: 28/28 (100 %)"))
    #expect(!result.output.contains("failed"))

    let report = try workspace.json("r.json")
    // The variance of the truth on the 588 images, by the design of the sample.
    let constant = try #require(report["constantError"] as? Double)
    #expect(abs(constant - 24.76) < 0.02)
    let errors = try DSpritesRuns(workspace: workspace).errors("r.json")
    #expect(errors.count == 7)
    for (method, values) in errors {
      #expect(values.count == 2 && values.allSatisfy { $0 > 0 && $0.isFinite }, "\(method)")
      #expect(values[0] != values[1], "two seeds")
    }
    let runs = try #require(report["runs"] as? [[String: Any]])
    #expect(runs.count == 14)
    for run in runs {
      #expect((run["losses"] as? [Any])?.count == 2)
      #expect((run["seconds"] as? [Any])?.count == 2)
      #expect((run["linearAlgebra"] as? String)?.isEmpty == false)
      #expect((run["system"] as? String)?.contains("Swift") == true)
    }
    let plot = try String(
      contentsOf: workspace.url.appending(path: "iv-regression-output/dsprites.svg"),
      encoding: .utf8)
    #expect(plot.contains("constant predictor, 24.8") && plot.contains("value function"))
  }

  @Test("Options become settings") func optionsBecomeSettings() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let overrides: [(option: String, key: String, value: Double)] = [
      ("--outer-learning-rate", "outerLearningRate", 0.002),
      ("--outer-weight-decay", "outerWeightDecay", 0.003),
      ("--inner-learning-rate", "innerLearningRate", 0.004),
      ("--inner-weight-decay", "innerWeightDecay", 0.005), ("--first-ridge", "firstRidge", 0.6),
      ("--second-ridge", "secondRidge", 0.7), ("--penalty", "penalty", 0.8),
      ("--unrolled-steps", "unrolledSteps", 1),
      ("--conjugate-gradient-iterations", "conjugateGradientIterations", 3),
    ]
    let result = try ivRegression.run(
      DSpritesRuns.quick + [
        "--runs", "1", "--method", "FuncID, aid", "--method", "itd,value function", "--json",
        "r.json", "--adjoint-steps", "3", "--adjoint-learning-rate", "0.01",
        "--adjoint-weight-decay", "0.02", "--standardize-instruments", "--cross-fit",
        "--decay-learning-rates",
        "--first-seed", "7", "--precision", "float64",
      ]
        + overrides.flatMap {
          [$0.option, $0.value == 1 || $0.value == 3 ? "\(Int($0.value))" : "\($0.value)"]
        },
      in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let methods = try #require(try workspace.json("r.json")["methods"] as? [[String: Any]])
    #expect(methods.count == 4)
    for method in methods {
      let settings = try #require(method["settings"] as? [String: Any])
      for override in overrides {
        #expect(settings[override.key] as? Double == override.value, "\(override.option)")
      }
      #expect(settings["standardizesInstruments"] as? Bool == true)
      #expect(settings["crossFits"] as? Bool == true)
      #expect(settings["decaysLearningRates"] as? Bool == true)
      #expect(method["seeds"] as? [Int] == [7])
      let adjoint = settings["adjoint"] as? [String: Double]
      #expect(
        adjoint
          == (method["method"] as? String == "funcid"
            ? ["steps": 3, "learningRate": 0.01, "weightDecay": 0.02] : nil))
    }
    #expect(result.output.contains("float64"))
    #expect(result.output.contains("Settings         chosen here, --iterations 2, --inner-steps 2"))
    #expect(result.output.contains("--standardize-instruments"))
    let plot = try String(
      contentsOf: workspace.url.appending(path: "iv-regression-output/dsprites.svg"),
      encoding: .utf8)
    #expect(plot.contains("settings: chosen here, --iterations 2"))
  }

  @Test("Training that fails is a result") func trainingThatFailsIsAResult() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let arguments =
      DSpritesRuns.quick + ["--runs", "1", "--method", "dfiv", "--inner-learning-rate", "1e300"]
    for rest in [[], ["--resume"]] {
      let result = try ivRegression.run(arguments + rest, in: workspace.url)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("DFIV, seed 1, failed after"), "\(result.output)")
      // The second time it is not repeated.
      #expect(result.errors.contains("dsprites") == rest.isEmpty)
    }
  }

  @Test(
    "Wrong options are explained",
    arguments: [
      (["--method", "funcid,foo"], "--method: there is no 'foo'; there are dfiv, funcid,"),
      (["--method", ","], "--method must name one at least"),
      (["--size", "10"], "--size must be between 20 and 1000000, not 10"),
      (["--runs", "0"], "--runs must be between 1 and 10000, not 0"),
      (["--checkpoint-every", "0"], "--checkpoint-every must be between 1 and 1000000, not 0"),
      (["--jobs", "0"], "--jobs must be between 1 and 1024, not 0"),
      (["--first-seed", "18446744073709551615"], "--first-seed is too large"),
      (["--outer-learning-rate", "0"], "--outer-learning-rate must be a positive number"),
      (["--inner-weight-decay=-1"], "--inner-weight-decay must be a number of at least 0"),
      (["--iterations", "0"], "--iterations must be between 1 and 1000000, not 0"),
      (["--method", "aid", "--penalty", "1"], "--penalty is for 'gradient-penalty' or"),
      (["--method", "dfiv", "--adjoint-steps", "1"], "--adjoint-steps is for 'funcid'"),
      (["--precision", "float16"], "float16"),
      (["--seed", "3"], "--seed is for 'linear' and 'deep'; dsprites numbers its runs from"),
      (["--data", "missing.npz"], "--data: 'missing.npz' cannot be read"),
      (["--data", "d.npz", "--json", "./d.npz"], "--json names the data file"),
      (["--output", "/dev/null/x"], "cannot be written"),
    ])
  func badOptions(arguments: [String], message: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(["dsprites"] + arguments, in: workspace.url)
    #expect(result.status > 0)
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.url.path).isEmpty)
  }

  @Test("Data that are none stop the study") func dataThatAreNoneStopTheStudy() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    try workspace.write("no archive", to: "d.npz")
    let result = try ivRegression.run(
      DSpritesRuns.quick + ["--method", "dfiv", "--jobs", "2", "--data", "d.npz"],
      in: workspace.url)
    #expect(result.status > 0)
    #expect(result.errors.hasPrefix("Error: --data: d.npz"), "\(result.errors)")
    #expect(result.errors.components(separatedBy: "Error:").count == 2)
    #expect(!result.errors.contains("--resume"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.url.path) == ["d.npz"])
  }
}
