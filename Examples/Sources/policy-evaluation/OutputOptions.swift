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
  var output = "policy-evaluation-output"

  /// The directory for tables and plots, after making sure that `--json` can be written.
  ///
  /// - Parameter data: Files that results must not replace.
  func directory(apartFrom data: [String] = []) throws -> OutputDirectory {
    if let json {
      if let path = data.first(where: { isSameFile($0, json) }) {
        throw ValidationError("--json names the data file '\(path)'; choose another file")
      }
      try requireWritable(json)
    }
    return try OutputDirectory(path: output)
  }

  /// Writes the results to the file of `--json`, if there is one.
  func writeResults<T: Encodable>(_ results: T) throws {
    if let json { try writeJSON(results, to: json) }
  }
}
