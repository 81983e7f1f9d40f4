import ExampleSupport
import Foundation
import SpriteRegression

/// A run that has ended, as its file keeps it.
struct SpriteRun: Codable, Sendable {
  private static let expectedFormat = "dsprites run 1"

  private var format = Self.expectedFormat
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
  /// Of the process; nil where unknown.
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
    self.specification = specification
    self.constantError = constantError
    self.threadCount = threadCount
    self.linearAlgebra = linearAlgebra
    system = SystemDescription.text
  }

  /// Median seconds of an outer iteration; nil where there was none.
  var secondsPerIteration: Double? { Distribution(seconds)?.median }

  /// Reads the file of a run that has ended.
  init(contentsOfFile path: String) throws(SpriteStudyError) {
    func unusable(_ reason: String) -> SpriteStudyError { .unusableRun(path: path, reason: reason) }
    let read: SpriteRun?
    do {
      read = try readJSON(SpriteRun.self, from: path)
    } catch {
      throw unusable("it cannot be read")
    }
    guard let run = read else { throw unusable("it is damaged, or no run of 'dsprites'") }
    guard run.format == Self.expectedFormat else {
      throw unusable("expected '\(Self.expectedFormat)', found '\(run.format)'")
    }
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    guard run.specification.name == name else {
      throw unusable("it holds the run '\(run.specification.name)'")
    }
    let expected = run.specification.settings.iterations
    if run.failure == nil, run.losses.count != expected || run.outOfSampleError == nil {
      throw unusable("expected \(expected) iterations and an error, found \(run.losses.count)")
    }
    self = run
  }
}

/// Why a directory of runs cannot be used, or a run did not end.
enum SpriteStudyError: Error, CustomStringConvertible {
  case unusableRun(path: String, reason: String)
  case otherSettings(path: String, option: String, found: String, wanted: String)
  case runsExist(directory: String, count: Int)
  case runStopped(name: String, message: String)
  case invalidRequest

  var description: String {
    switch self {
    case .unusableRun(let path, let reason):
      "\(path): cannot be used as a run that has ended: \(reason); delete the file to repeat the "
        + "run, or choose another --output"
    case .otherSettings(let path, let option, let found, let wanted):
      "\(path): belongs to other settings: \(option) was \(found) there and is \(wanted) now; "
        + "repeat the options of that run, or choose another --output"
    case .runsExist(let directory, let count):
      "\(directory): holds \(count) \(count == 1 ? "run" : "runs") already; add --resume to keep "
        + "them and make those that are missing, or choose another --output"
    case .runStopped(let name, let message):
      "the run \(name) stopped:\n\(message)\nRuns that have ended are kept; add --resume to go on"
    case .invalidRequest:
      "expected the description of a run, as 'iv-regression dsprites' gives it; use that command"
    }
  }
}
