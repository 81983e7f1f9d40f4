import ExampleSupport
import Foundation

/// The directory in which a study keeps its runs, one file to each that has ended.
struct SpriteRuns {
  let directory: String

  /// The file of a run.
  func path(of specification: SpriteSpecification) -> String {
    "\(directory)/\(specification.name).json"
  }

  /// Reads all runs that have ended.
  ///
  /// - Throws: `SpriteStudyError.unusableRun` for a damaged file.
  func all() throws(SpriteStudyError) -> [SpriteRun] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    var runs: [SpriteRun] = []
    for name in names.sorted() where name.hasSuffix(".json") {
      runs.append(try SpriteRun(contentsOfFile: "\(directory)/\(name)"))
    }
    return runs
  }

  /// The runs that have ended, of those that are wanted.
  ///
  /// - Throws: Where the directory has runs but they are not to be kept, or one of them was made
  ///   with other settings.
  func finished(
    of wanted: [SpriteSpecification], resumes: Bool
  ) throws(SpriteStudyError) -> [SpriteRun] {
    let runs = try all()
    if !runs.isEmpty, !resumes { throw .runsExist(directory: directory, count: runs.count) }
    for run in runs {
      for specification in wanted {
        guard let difference = run.specification.difference(from: specification) else { continue }
        throw .otherSettings(
          path: path(of: run.specification), option: difference.name, found: difference.found,
          wanted: difference.wanted)
      }
    }
    let names = Set(wanted.map(\.name))
    return runs.filter { names.contains($0.specification.name) }
  }
}
