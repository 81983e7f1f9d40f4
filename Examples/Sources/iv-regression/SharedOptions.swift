import ArgumentParser
import ExampleSupport

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

  /// Refuses places that cannot be written, before the work.
  func requireWritableResults() throws(OutputError) {
    if let json { try requireWritable(json) }
    try OutputDirectory.requireUsable(output)
  }

  /// Refuses to write the results over the data they are computed from.
  func requireJSON(apartFrom data: String?) throws {
    if let json, let data, isSameFile(json, data) {
      throw ValidationError("--json names the data file '\(data)'; choose another file")
    }
  }
}

/// The options of the program and of its subcommands on one sample.
struct SharedOptions: ParsableArguments {
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var seeds: SeedOption

  /// The seed that is given, or the default.
  var seed: UInt64 { seeds.seed ?? 1 }
}

/// The seed, in a group of its own because `dsprites`, which has seeds of its runs, refuses it.
struct SeedOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The seed of everything random: simulation, splits and initial weights of 'deep', splits of "
        + "the nonparametric first stage of 'linear'. (default: 1)", valueName: "number"))
  var seed: UInt64?
}
