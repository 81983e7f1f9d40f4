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
      "Write tables, plots and replications to this directory, made if it is not there.",
      valueName: "directory"))
  var output = "bilevel-inference-output"

  /// Refuses places that cannot be written, before the work.
  func requireUsable() throws(OutputError) {
    if let json { try requireWritable(json) }
    try OutputDirectory.requireUsable(output)
  }

  /// The directory for tables and plots, after making sure that the files can be written.
  func directory(for files: [String]) throws(OutputError) -> OutputDirectory {
    if let json { try requireWritable(json) }
    let directory = try OutputDirectory(path: output)
    for file in files { try requireWritable(directory.file(file)) }
    return directory
  }

  /// Writes the results to the file of `--json`, if there is one.
  func writeResults<T: Encodable>(_ results: T) throws(OutputError) {
    if let json { try writeJSON(results, to: json) }
  }

  /// Refuses to write the results over the data they are computed from.
  func requireJSON(apartFrom data: String?) throws {
    if let json, let data, isSameFile(json, data) {
      throw ValidationError("--json names the data file '\(data)'; choose another file")
    }
  }
}
