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
    self.specification = specification
    self.constantError = constantError
    self.threadCount = threadCount
    self.linearAlgebra = linearAlgebra
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

  /// Reads the file of a run that has ended or, if `isUnfinished`, the record beside a checkpoint.
  init(contentsOfFile path: String, isUnfinished: Bool = false) throws(SpriteStudyError) {
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
    let (expected, found) = (run.specification.settings.iterations, run.losses.count)
    if !isUnfinished, !run.isFinished || (run.failure == nil && found != expected) {
      throw unusable("expected an error after \(expected) iterations, found \(found)")
    }
    self = run
  }

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
