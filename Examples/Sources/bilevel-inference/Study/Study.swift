import Autodiff
import ExampleSupport
import Foundation

/// Everything that a replication of a study depends on, apart from the sample size and its number.
protocol StudySpecification: Codable, Sendable {
  associatedtype Replication: StudyReplication

  /// Raised when the same options give other numbers.
  static var currentVersion: Int { get }
  var version: Int { get }
  /// A word for progress lines.
  var label: String { get }
  /// The options, as errors name them.
  var options: [(name: String, value: String)] { get }

  /// What a replication takes of memory, in bytes, at most.
  func byteCount(size: Int) -> Double

  /// What makes replications; one is made for every thread.
  func maker() -> (StudyTask) throws -> Replication
}

/// What is kept of one sample of a study.
protocol StudyReplication: Codable, Sendable {
  /// Which sample it is.
  var task: StudyTask { get }
}

/// A sample of a study by its size and its number, from 0.
struct StudyTask: Hashable, Codable, Sendable {
  let size: Int
  let index: Int

  /// Its random numbers, which depend on neither the order of replications nor on what else is run.
  func generator(seed: UInt64) -> PhiloxGenerator {
    PhiloxGenerator(seed: seed).split(key: UInt64(size)).split(key: UInt64(index))
  }
}

/// A study whose replications are kept in a file.
struct Study<Specification: StudySpecification> {
  let specification: Specification
  let sizes: [Int]
  /// The number of replications at every size.
  let replications: Int

  /// Makes the replications that the file does not hold yet.
  ///
  /// - Returns: All of the study, by size and number.
  func complete(
    in path: String, resumes: Bool, jobs: Int
  ) throws -> [Specification.Replication] {
    try requireMemory(jobs: jobs)
    // From before there is a file, so that whoever sees it can interrupt.
    let interruption = Interruption(
      announcement: "stopping after these replications; Ctrl-C again stops now")
    defer { interruption.end() }
    let file = try ReplicationFile(path: path, specification, resumes: resumes)
    let kept = Set(file.replications.map(\.task))
    let tasks = sizes.flatMap { size in
      (0..<replications).map { StudyTask(size: size, index: $0) }
    }
    let runner = StudyRunner(
      specification: specification, jobs: jobs, interruption: interruption)
    guard try runner.run(tasks.filter { !kept.contains($0) }, file.append) else {
      throw Interrupted(
        state: "the \(Numbers.count(file.replications.count)) replications so far are in \(path)",
        resumingFrom: nil)
    }
    // In the order of tasks, so that the order of completion leaves no trace in sums.
    let results = Dictionary(
      file.replications.map { ($0.task, $0) }, uniquingKeysWith: { first, _ in first })
    return tasks.compactMap { results[$0] }
  }
}

extension Study {
  /// Refuses samples so large that those at work at a time do not fit.
  private func requireMemory(jobs: Int) throws(NotEnoughMemory) {
    let largest = sizes.max() ?? 0
    let count = min(jobs, replications * sizes.count)
    try NotEnoughMemory.refuse(
      Double(count) * specification.byteCount(size: largest),
      for: "\(count == 1 ? "a replication" : "\(count) replications at a time") of "
        + "\(Numbers.count(largest)) rows")
  }
}

extension StudySpecification {
  /// The first option in which this differs from another specification of the same version.
  func difference(from other: Self) -> (option: String, found: String, wanted: String)? {
    for (mine, theirs) in zip(options, other.options) where mine.value != theirs.value {
      return (mine.name, mine.value, theirs.value)
    }
    return nil
  }
}
