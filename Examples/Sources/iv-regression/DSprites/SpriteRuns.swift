import ExampleSupport
import Foundation
import SpriteRegression

/// The directory in which a study keeps its runs: a file to each that has ended, a checkpoint and a
/// record to each that has not.
struct SpriteRuns {
  let directory: String

  private static let (ended, unfinished, networks) = ("json", "unfinished", "checkpoint")

  /// The file of a run that has ended.
  func path(of specification: SpriteSpecification) -> String {
    path(specification, Self.ended)
  }

  private func path(_ specification: SpriteSpecification, _ suffix: String) -> String {
    "\(directory)/\(specification.name).\(suffix)"
  }

  // MARK: For the study

  /// The runs that have ended, of those that are wanted.
  ///
  /// - Throws: Where the directory has runs but they are not to be kept, where one of them was made
  ///   with other settings, or where a file is damaged.
  func finished(
    of wanted: [SpriteSpecification], resumes: Bool
  ) throws(SpriteStudyError) -> [SpriteRun] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    var ended: [SpriteRun] = []
    var count = 0
    for name in files.sorted() {
      let suffix = name.split(separator: ".").last.map(String.init) ?? ""
      guard [Self.ended, Self.unfinished].contains(suffix) else { continue }
      count += 1
      guard resumes else { continue }
      let path = "\(directory)/\(name)"
      let isUnfinished = suffix == Self.unfinished
      let run = try SpriteRun(contentsOfFile: path, isUnfinished: isUnfinished)
      try requireSame(run, as: wanted, path: path)
      if !isUnfinished { ended.append(run) }
    }
    if count > 0, !resumes { throw .runsExist(directory: directory, count: count) }
    let names = Set(wanted.map(\.name))
    return ended.filter { names.contains($0.specification.name) }
  }

  /// How many runs that have ended are none of those that are wanted.
  func furtherCount(than wanted: [SpriteSpecification]) -> Int {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    let names = Set(wanted.map { "\($0.name).\(Self.ended)" })
    return files.count { $0.hasSuffix(".\(Self.ended)") && !names.contains($0) }
  }

  private func requireSame(
    _ run: SpriteRun, as wanted: [SpriteSpecification], path: String
  ) throws(SpriteStudyError) {
    for specification in wanted {
      guard let difference = run.specification.difference(from: specification) else { continue }
      throw .otherSettings(
        path: path, option: difference.name, found: difference.found, wanted: difference.wanted)
    }
  }

  // MARK: For a run

  /// Brings a fit to where an earlier process left it, and returns the run so far; nil where there
  /// is none.
  func resume(
    _ fit: SpriteFit, _ specification: SpriteSpecification
  ) throws(SpriteStudyError) -> SpriteRun? {
    let networks = path(specification, Self.networks)
    let record = path(specification, Self.unfinished)
    // A process that ended between its first two writings has left only one.
    let manager = FileManager.default
    guard manager.fileExists(atPath: networks), manager.fileExists(atPath: record) else {
      return nil
    }
    let run = try SpriteRun(contentsOfFile: record, isUnfinished: true)
    try requireSame(run, as: [specification], path: record)
    do {
      try fit.readCheckpoint(from: networks)
    } catch {
      throw .damagedCheckpoint(path: networks, run: specification.name, reason: "\(error)")
    }
    // The record is written first and may be ahead.
    guard let past = run.truncated(to: fit.history.count), past.losses == fit.history else {
      throw .damagedCheckpoint(
        path: networks, run: specification.name, reason: "\(record) is not of the same run")
    }
    return past
  }

  /// Keeps a run that has not ended.
  func writeCheckpoint(_ run: SpriteRun, _ fit: SpriteFit) throws {
    try writeJSON(run, to: path(run.specification, Self.unfinished))
    try fit.writeCheckpoint(to: path(run.specification, Self.networks))
  }

  /// Keeps a run that has ended, and removes its checkpoint.
  func write(_ run: SpriteRun) throws(OutputError) {
    try writeJSON(run, to: path(of: run.specification))
    for suffix in [Self.networks, Self.unfinished] {
      try? FileManager.default.removeItem(atPath: path(run.specification, suffix))
    }
  }
}
