import ArgumentParser
import Foundation

/// How many replications a study has, and how they are made.
struct RunOptions: ParsableArguments {
  @Option(help: "Samples drawn of each size, at least 2.")
  var replications = 1000

  @Option(help: "Replications at once, a thread each. (default: the processors)")
  var jobs: Int?

  @Flag(help: "Keep the replications that the output directory holds, and make the others.")
  var resume = false

  var jobCount: Int { jobs ?? ProcessInfo.processInfo.activeProcessorCount }

  func validate() throws {
    for (name, value, range) in [
      ("--replications", replications, 2...1_000_000), ("--jobs", jobs ?? 1, 1...1024),
    ] where !range.contains(value) {
      throw ValidationError(
        "\(name) must be between \(range.lowerBound) and \(range.upperBound), not \(value)")
    }
  }
}

/// Different numbers separated by commas.
struct NumberList<Number: LosslessStringConvertible & Hashable & Sendable>: ExpressibleByArgument {
  let values: [Number]

  init(_ values: [Number]) { self.values = values }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
      .map { Number($0.trimmingCharacters(in: .whitespaces)) }
    let values = parts.compactMap { $0 }
    guard !values.isEmpty, values.count == parts.count, Set(values).count == values.count else {
      return nil
    }
    self.values = values
  }

  var defaultValueDescription: String { values.map { "\($0)" }.joined(separator: ",") }
}
