import ArgumentParser
import ExampleSupport
import Foundation

/// The options of each subcommand that say where results go.
struct SharedOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write the results as JSON to this file, '/dev/stdout' included.", valueName: "file"))
  var json: String?

  @Option(
    help: ArgumentHelp(
      "Write tables and plots to this directory, made if it is not there.",
      valueName: "directory"))
  var output = "hypergradient-output"

  /// The directory for tables and plots, after making sure that `--json` has a place too.
  func outputDirectory() throws -> OutputDirectory {
    if let json { try requireWritable(json) }
    return try OutputDirectory(path: output)
  }

  /// Those of the files that exist.
  static func existing(_ files: [String]) -> [String] {
    files.filter { FileManager.default.fileExists(atPath: $0) }
  }

  /// What was written, and whether earlier files were there.
  static func writtenText(_ files: [String], replaced: [String]) -> String {
    let note =
      switch replaced.count {
      case 0: ""
      case files.count: " in place of earlier ones"
      default: " (\(replaced.joined(separator: ", ")) in place of an earlier one)"
      }
    return "Wrote \(files.joined(separator: ", "))\(note)"
  }

  /// Writes the results to the file of `--json`, if there is one.
  func writeResults<T: Encodable>(_ results: T) throws {
    guard let json else { return }
    try writeJSON(results, to: json)
  }

  /// Refuses to write the results over the data they are computed from.
  func requireJSON(apartFrom data: [String]) throws {
    guard let json else { return }
    if let path = data.first(where: { isSameFile($0, json) }) {
      throw ValidationError("--json names the data file '\(path)'; choose another file")
    }
  }
}
