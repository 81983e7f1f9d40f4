import ArgumentParser
import ExampleSupport
import Foundation

/// Where results go.
struct OutputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write the results as JSON to this file, '/dev/stdout' included.", valueName: "file"))
  var json: String?

  @Option(
    help: ArgumentHelp(
      "Write tables and plots to this directory, made if it is not there.",
      valueName: "directory"))
  var output = "iv-regression-output"

  /// The directory for tables and plots.
  func directory() throws -> OutputDirectory {
    try OutputDirectory(path: output)
  }

  /// Writes the results to the file of `--json`, if there is one.
  func writeResults<T: Encodable>(_ results: T) throws {
    guard let json else { return }
    try writeJSON(results, to: json)
  }

  /// Refuses to write the results over the data they are computed from.
  func requireJSON(apartFrom data: String?) throws {
    guard let json, let data else { return }
    let paths = [json, data].map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
    if paths[0] == paths[1] {
      throw ValidationError("--json names the data file '\(data)'; choose another file")
    }
  }
}

/// The options of the program and of its subcommands on one sample.
struct SharedOptions: ParsableArguments {
  @OptionGroup var outputs: OutputOptions

  @Option(
    help: ArgumentHelp(
      "The seed of everything random: simulation, splits and initial weights of 'deep'. 'linear' "
        + "has nothing random.", valueName: "number"))
  var seed: UInt64 = 1
}
