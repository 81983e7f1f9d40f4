import Foundation
import ProgramTestSupport
import Testing

@Suite(" option") struct OptionTests {
  @Test(arguments: [
    ([], "Missing expected argument '--design <name>'"),
    (["--design", "other"], "'other' is invalid"),
    (["--design", "iv", "--replications", "1"], "--replications must be between 2 and 1000000"),
    (["--design", "iv", "--jobs", "0"], "--jobs must be between 1 and 1024, not 0"),
    (["--design", "iv", "--sizes", "10"], "--sizes must be between 20 and 1000000, not 10"),
    (["--design", "iv", "--sizes", "100,100"], "'100,100' is invalid"),
    (["--design", "iv", "--sizes", "1e3"], "'1e3' is invalid"),
    (["--design", "iv", "--folds", "1"], "--folds must be between 2 and 100, not 1"),
    (["--design", "iv", "--bandwidth", "0"], "--bandwidth must be a positive number, not 0"),
    (["--design", "iv", "--ridge-constant", "nan"], "--ridge-constant must be a positive number"),
    (["--design", "iv", "--ridge", "fixed"], "--ridge fixed needs the value of λ"),
    (["--design", "iv", "--ridge", "cv", "--ridge-power", "1"], "--ridge-power is for"),
    (["--design", "iv", "--methods", "residual"], "there is no 'residual'; there are oracle, "),
    (["--design", "iv", "--methods", ","], "--methods must name one at least"),
    (["--design", "paper-b1", "--ridge", "cv"], "the nuisances of paper-b1 are learned on fixed"),
    (["--design", "paper-b1", "--landmarks", "9"], "--landmarks are for kernels, but the nuis"),
    (["--design", "two-sample", "--band"], "--band does not apply to the design two-sample"),
    (["--design", "two-sample", "--shared-noise", "split"], "--shared-noise does not apply"),
    (["--design", "iv", "--library-defaults", "--ridge", "rate"], "--ridge rate needs --ridge-co"),
    (["--design", "iv", "--library-defaults", "--ridge-power", "1"], "--ridge-power is for --ri"),
    (["--design", "iv", "--draws", "1"], "--draws must be between 20 and 1000000, not 1"),
    (["--design", "iv", "--json", "none/r.json"], "the directory it should be in does not exist"),
  ])
  func wrongOptionsAreExplained(arguments: [String], message: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(["coverage"] + arguments, in: workspace.url)
    #expect(result.status != 0)
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  @Test(arguments: [
    (["--size", "5"], "--size must be between 20 and 10000, not 5"),
    (["--ridges", "0.1,-1"], "must be positive numbers, not -1"),
    (["--design", "fqe-lq"], "'fqe-lq' is invalid"),
  ])
  func wrongOptionsOfPathsAreExplained(arguments: [String], message: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(["kbo-path"] + arguments, in: workspace.url)
    #expect(result.status != 0)
    #expect(result.errors.contains(message), "\(result.errors)")
  }

  /// What a study is said to be made with.
  @Test(arguments: [
    ([], "length scale 0.5, λ = 0.08 n^−0.4, 150 landmarks\n", "5, shared noise kept"),
    (["--ridge", "fixed", "--ridge-constant", "1e-4"], "λ = 0.0001, ", "5, shared"),
    (["--ridge", "cv"], "length scale 0.5, 0.5 × cross-validated λ", "5, shared"),
    (
      ["--ridge-power", "0.5", "--shared-noise", "corrected"], "n^−0.5", "5, shared noise corrected"
    ),
    (["--library-defaults"], "chosen on training rows, 0.5 × cross-val", "10, shared noise corr"),
    (["--library-defaults", "--ridge-constant", "2"], "2 × cross-validated", "10, shared"),
  ])
  func optionsReachTheStudy(arguments: [String], nuisances: String, folds: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(
      ["coverage", "--design", "iv", "--sizes", "60", "--replications", "2"] + arguments,
      in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains(nuisances), "\(result.output)")
    #expect(result.output.contains("Folds       \(folds)"), "\(result.output)")
  }

  @Test("The help names designs and methods") func theHelpNamesDesignsAndMethods() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try bilevelInference.run(["help", "coverage"], in: workspace.url)
    for name in ["two-sample", "paper-b3", "obigrad-split", "kbo-decaying", "--resume"] {
      #expect(result.output.contains(name))
    }
  }
}
