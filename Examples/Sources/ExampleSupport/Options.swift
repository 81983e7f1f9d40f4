import ArgumentParser
import Foundation
import TensorFiles

/// Where the results of a command go.
public struct OutputOptions: ParsableArguments {
  /// The file for JSON; nil for none.
  @Option(
    help: .value("file", "Write the results as JSON to this file, '/dev/stdout' included."))
  public var json: String?

  /// The directory for all else, named for the program.
  @Option(
    help: .value(
      "directory", "Write tables and plots to this directory, made if it is not there."))
  public var output = "\(ProcessInfo.processInfo.processName)-output"

  public init() {}

  /// Refuses places that cannot be written, before the work.
  public func requireUsable() throws(OutputError) {
    if let json { try requireWritable(json) }
    try OutputDirectory.requireUsable(output)
  }

  /// The directory, after making sure that these files and that of `--json` can be written.
  public func directory(for files: [String] = []) throws(OutputError) -> OutputDirectory {
    if let json { try requireWritable(json) }
    let directory = try OutputDirectory(path: output)
    for file in files { try requireWritable(directory.file(file)) }
    return directory
  }

  /// The places of a command's results, checked before the work.
  ///
  /// - Parameters:
  ///   - files: What the command leaves, by names; a report's table and figure go to the first `.csv` and the
  ///     first `.svg`.
  ///   - lock: Whether another process must not write there meanwhile.
  public func results(_ files: String..., locked: Bool = false) throws -> Results {
    let directory = try directory(for: files)
    let program = "\(ProcessInfo.processInfo.processName)"
    return Results(
      directory: directory, files: files.map(directory.file), json: json,
      lock: locked ? try DirectoryLock(directory: directory.path, program: program) : nil)
  }

  /// Writes the results to the file of `--json`, if there is one.
  public func writeResults<T: Encodable>(_ results: T) throws(OutputError) {
    if let json { try writeJSON(results, to: json) }
  }

  /// Refuses to write the results over the data they are computed from.
  public func requireJSON(apartFrom data: String?...) throws {
    guard let json else { return }
    for case let path? in data where isSameFile(path, json) {
      throw ValidationError("--json names the data file '\(path)'; choose another file")
    }
  }
}

/// What a command found, for the terminal and for files; its JSON is its encoding.
public protocol Report: Encodable {
  /// The text for the terminal.
  var text: String { get }
  /// The table.
  var csv: CSVWriter { get }
  /// The plot.
  var figure: SVGFigure { get }
}

/// The places of a command's results.
public struct Results {
  /// The output directory.
  public let directory: OutputDirectory
  private let files: [String]
  private let replaced: [String]
  private let json: String?
  private let lock: DirectoryLock?

  fileprivate init(
    directory: OutputDirectory, files: [String], json: String?, lock: DirectoryLock?
  ) {
    (self.directory, self.files, self.json, self.lock) = (directory, files, json, lock)
    replaced = files.filter { FileManager.default.fileExists(atPath: $0) }
  }

  /// Prints a report, writes its table and its figure, says so, and writes its JSON.
  ///
  /// - Parameter text: What is printed, where that takes more than the report holds.
  public func publish(_ report: some Report, text: String? = nil) throws {
    print(text ?? report.text)
    for path in files where path.hasSuffix(".csv") { try report.csv.write(toFile: path) }
    for path in files where path.hasSuffix(".svg") { try report.figure.write(to: path) }
    let note =
      switch replaced.count {
      case 0: ""
      case files.count: " in place of earlier ones"
      default: " (\(replaced.joined(separator: ", ")) in place of an earlier one)"
      }
    print("\nWrote \(files.joined(separator: ", "))\(note)")
    if let json { try writeJSON(report, to: json) }
  }
}

extension ArgumentHelp {
  /// Help of an option whose value has a name of its own.
  public static func value(_ name: String, _ text: String) -> ArgumentHelp {
    ArgumentHelp("\(text)", valueName: name)
  }
}

/// Different values separated by commas.
public struct CommaList<Value: LosslessStringConvertible & Hashable & Sendable>:
  ExpressibleByArgument
{
  /// The values, in their order.
  public let values: [Value]

  /// A list of given values.
  public init(_ values: [Value]) { self.values = values }

  public init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
      .map { Value($0.trimmingCharacters(in: .whitespaces)) }
    let values = parts.compactMap { $0 }
    guard !values.isEmpty, values.count == parts.count, Set(values).count == values.count else {
      return nil
    }
    self.values = values
  }

  public var defaultValueDescription: String { values.map { "\($0)" }.joined(separator: ",") }
}

// MARK: Checks of options

/// Refuses values of options out of their ranges.
public func requireRange<Value: Comparable>(
  _ options: (name: String, value: Value?, range: ClosedRange<Value>)...
) throws {
  for case (let name, let value?, let range) in options where !range.contains(value) {
    func shown(_ limit: Value) -> String { (limit as? Double).map(Numbers.short) ?? "\(limit)" }
    let (low, high) = (shown(range.lowerBound), shown(range.upperBound))
    throw ValidationError("\(name) must be between \(low) and \(high), not \(value)")
  }
}

/// Refuses values of options below a number.
public func requireAtLeast<Value: Comparable>(
  _ minimum: Value, _ options: (name: String, value: Value?)...
) throws {
  for case (let name, let value?) in options where !(value >= minimum) {
    throw ValidationError("\(name) must be at least \(minimum), not \(value)")
  }
}

/// Refuses values of options that are not positive and finite.
public func requirePositive(_ options: (name: String, value: Double?)...) throws {
  for case (let name, let value?) in options where !(value > 0 && value.isFinite) {
    throw ValidationError("\(name) must be a positive number, not \(value)")
  }
}

/// Refuses values of options that are not strictly between 0 and 1.
public func requireShare(_ options: (name: String, value: Double?)...) throws {
  for case (let name, let value?) in options where !(value > 0 && value < 1) {
    throw ValidationError("\(name) must be between 0 and 1, both excluded, not \(value)")
  }
}

/// The values that an option names, separated by commas.
///
/// - Parameters:
///   - all: What the name "all" stands for; nil where there is no such name.
///   - known: The names there are, for the message.
///   - value: The value of a name; nil where there is none.
public func named<Value: Equatable>(
  _ option: String, _ text: String, all: [Value]? = nil, known: String, as value: (String) -> Value?
) throws -> [Value] {
  var result: [Value] = []
  let names = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
  for name in names where !name.isEmpty {
    if let all, name.lowercased() == "all" { return all }
    guard let found = value(name) else {
      throw ValidationError("\(option): there is no '\(name)'; there are \(known)")
    }
    if result.contains(found) { throw ValidationError("\(option) names '\(name)' twice") }
    result.append(found)
  }
  guard !result.isEmpty else { throw ValidationError("\(option) must name one at least") }
  return result
}

/// The range that an option states as two numbers with a comma between them.
///
/// - Parameters:
///   - limit: The largest magnitude.
///   - allowsPoint: Whether both numbers may be the same.
public func statedRange(
  _ option: String, _ text: String, limit: Double, allowsPoint: Bool, example: String
) throws -> ClosedRange<Double> {
  let ends = text.split(separator: ",").map { Double($0.filter { $0 != " " }) }
  guard ends.count == 2, let low = ends[0], let high = ends[1],
    low < high || allowsPoint && low == high,
    low >= -limit, high <= limit
  else {
    let shown = Int(limit)
    throw ValidationError(
      "\(option) must be two numbers from -\(shown) to \(shown) in ascending order, such as "
        + "\(example), not '\(text)'")
  }
  return low...high
}
