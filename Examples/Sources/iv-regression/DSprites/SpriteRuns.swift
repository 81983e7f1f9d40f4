import ExampleSupport
import Foundation
import SpriteRegression

/// A run that has ended, as its file keeps it.
struct SpriteRun: Codable, Sendable {
  /// The name of the format of its file.
  static let format = "dsprites run 1"

  private var format = Self.format
  let specification: SpriteSpecification
  /// By outer iteration.
  var losses: [SpriteFit.Losses] = []
  /// Out-of-sample errors along the way, which nothing is chosen by.
  var errors: [ErrorPoint] = []
  /// After the last iteration; nil for a run that failed.
  var outOfSampleError: Double?
  /// Of the constant that predicts best.
  let constantError: Double
  /// Why training stopped early; nil if it did not.
  var failure: String?
  /// By outer iteration, without the evaluation.
  var seconds: [Double] = []
  /// Of the process, of the largest where there were several; nil where unknown.
  var peakMemoryBytes: Int?
  let threadCount: Int
  let linearAlgebra: String
  let system: String

  /// An out-of-sample error on the way.
  struct ErrorPoint: Codable, Sendable {
    let iteration: Int
    let error: Double
  }

  init(
    _ specification: SpriteSpecification, constantError: Double, threadCount: Int,
    linearAlgebra: String
  ) {
    (self.specification, self.constantError) = (specification, constantError)
    (self.threadCount, self.linearAlgebra) = (threadCount, linearAlgebra)
    system = SystemDescription.text
  }

  /// Median seconds of an outer iteration; nil where there was none.
  var secondsPerIteration: Double? { Distribution(seconds)?.median }

  /// Takes note of the memory that this process has needed.
  mutating func notePeakMemory() {
    peakMemoryBytes = [peakMemoryBytes, PeakMemory.ofProcess].compactMap { $0 }.max()
  }

  /// Whether the run needs no more iterations.
  var isFinished: Bool { failure != nil || outOfSampleError != nil }

  /// The run as it was after some of its iterations; nil if it has not so many.
  func truncated(to count: Int) -> SpriteRun? {
    guard losses.count >= count, seconds.count >= count else { return nil }
    var run = self
    run.losses = Array(losses.prefix(count))
    run.seconds = Array(seconds.prefix(count))
    run.errors = errors.filter { $0.iteration <= count }
    return run
  }
}

/// The directory in which a study keeps its runs: a file to each that has ended, a checkpoint and a
/// record to each that has not.
struct SpriteRuns {
  let directory: String

  private static let (ended, unfinished, networks) = ("jsonl", "unfinished", "checkpoint")

  private func path(_ name: String, _ suffix: String) -> String { "\(directory)/\(name).\(suffix)" }

  private func file(_ path: String, _ options: [StudyOption]) -> StudyFile<SpriteRun> {
    StudyFile(path: path, format: SpriteRun.format, options: options)
  }

  // MARK: For the study

  /// The runs that have ended, of those that are wanted.
  ///
  /// - Throws: Where the directory has runs but they are not to be kept, where one of them was made
  ///   with other settings, or where a file is damaged.
  func finished(
    of wanted: [SpriteSpecification], resumes: Bool
  ) throws(StudyError) -> [SpriteRun] {
    let files = names([Self.ended, Self.unfinished])
    if !files.isEmpty, !resumes { throw .exists(path: directory, count: files.count) }
    var ended: [SpriteRun] = []
    for (name, suffix) in files {
      // Runs of other methods have settings of their own.
      let same = wanted.first { name.hasPrefix("\($0.method.rawValue)-") }
      let run = try read(
        name, suffix, same?.options ?? wanted.first?.sharedOptions ?? [])
      if suffix == Self.ended, wanted.contains(where: { $0.name == name }) { ended.append(run) }
    }
    return ended
  }

  /// How many runs that have ended are none of those that are wanted.
  func furtherCount(than wanted: [SpriteSpecification]) -> Int {
    let names = Set(wanted.map(\.name))
    return self.names([Self.ended]).count { !names.contains($0.name) }
  }

  /// A run that has ended.
  func result(of specification: SpriteSpecification) throws(StudyError) -> SpriteRun {
    try read(specification.name, Self.ended, specification.options)
  }

  private func names(_ suffixes: [String]) -> [(name: String, suffix: String)] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return files.sorted().map(URL.init(fileURLWithPath:))
      .map { ($0.deletingPathExtension().lastPathComponent, $0.pathExtension) }
      .filter { suffixes.contains($0.1) }
  }

  private func read(
    _ name: String, _ suffix: String, _ options: [StudyOption]
  ) throws(StudyError) -> SpriteRun {
    let file = file(path(name, suffix), options)
    try file.read()
    guard let run = file.records.first, run.specification.name == name,
      suffix == Self.unfinished || run.failure != nil
        || run.losses.count == run.specification.settings.iterations
    else { throw .damaged(path: file.path, line: 2) }
    return run
  }

  // MARK: For a run

  /// Brings a fit to where an earlier process left it, and returns the run so far; nil where there
  /// is none.
  func resume(
    _ fit: SpriteFit, _ specification: SpriteSpecification
  ) throws -> SpriteRun? {
    let networks = path(specification.name, Self.networks)
    let record = path(specification.name, Self.unfinished)
    // A process that ended between its first two writings has left only one.
    let manager = FileManager.default
    guard manager.fileExists(atPath: networks), manager.fileExists(atPath: record) else {
      return nil
    }
    let run = try read(specification.name, Self.unfinished, specification.options)
    do {
      try fit.readCheckpoint(from: networks)
    } catch {
      throw SpriteRunError.damagedCheckpoint(
        path: networks, run: specification.name, reason: "\(error)")
    }
    // The record is written first and may be ahead.
    guard let past = run.truncated(to: fit.history.count), past.losses == fit.history else {
      throw SpriteRunError.damagedCheckpoint(
        path: networks, run: specification.name, reason: "\(record) is not of the same run")
    }
    return past
  }

  /// Keeps a run that has not ended.
  func writeCheckpoint(_ run: SpriteRun, _ fit: SpriteFit) throws {
    try write(run, Self.unfinished)
    try fit.writeCheckpoint(to: path(run.specification.name, Self.networks))
  }

  /// Keeps a run that has ended, and removes its checkpoint.
  func write(_ run: SpriteRun) throws(OutputError) {
    try write(run, Self.ended)
    for suffix in [Self.networks, Self.unfinished] {
      try? FileManager.default.removeItem(atPath: path(run.specification.name, suffix))
    }
  }

  private func write(_ run: SpriteRun, _ suffix: String) throws(OutputError) {
    try file(path(run.specification.name, suffix), run.specification.options).replace(by: [run])
  }
}
