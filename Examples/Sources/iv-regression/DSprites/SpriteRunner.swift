import ArgumentParser
import Autodiff
import DSprites
import ExampleSupport
import Foundation
import SpriteRegression

/// `iv-regression dsprites-run`: one run of `dsprites`, which starts it.
struct SpriteRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dsprites-run", abstract: "One run of 'dsprites', which starts it.",
    shouldDisplay: false)

  @Argument(help: "What to run, as JSON.")
  var specification: String

  @Argument(help: "The directory of the runs.")
  var directory: String

  @Argument(help: "Iterations from one checkpoint to the next.")
  var checkpointInterval: Int

  func run() throws {
    guard let specification = parseJSON(SpriteSpecification.self, Data(specification.utf8)),
      checkpointInterval > 0
    else { throw SpriteRunError.invalidRequest }
    // A study that is gone is noticed when a line is written, and a checkpoint left.
    signal(SIGPIPE, SIG_IGN)
    let interruption = Interruption()
    let runner = SpriteRunner(
      specification: specification, runs: SpriteRuns(directory: directory),
      checkpointInterval: checkpointInterval)
    let hasEnded = try runner.run { event in
      let line = Data(jsonText(event, isIndented: false).utf8)
      let isHeard = (try? FileHandle.standardOutput.write(contentsOf: line)) != nil
      return isHeard && !interruption.isRequested
    }
    if !hasEnded { throw ExitCode.failure }
  }
}

/// Makes one run, in a process of its own.
struct SpriteRunner {
  let specification: SpriteSpecification
  /// Where it keeps what it has.
  let runs: SpriteRuns
  /// Iterations from one checkpoint to the next.
  let checkpointInterval: Int

  /// Iterations from one out-of-sample error to the next.
  private static let evaluationInterval = 10

  /// Trains and evaluates, from the checkpoint of an earlier process if there is one.
  ///
  /// A failure of the training is a result; what is thrown is the fault of files.
  ///
  /// - Parameter observer: Called after each iteration; says whether to go on.
  /// - Returns: Whether the run has ended; it was stopped and left a checkpoint otherwise.
  func run(observer: (SpriteRunEvent) -> Bool) throws -> Bool {
    if let data = specification.data {
      return try run(images: SpriteArchive(contentsOfFile: data.path), observer: observer)
    }
    return try run(images: SpriteRenderer(), observer: observer)
  }

  private func run(
    images: some SpriteSource, observer: (SpriteRunEvent) -> Bool
  ) throws -> Bool {
    let design = DSpritesDesign()
    let type = specification.precision.scalarType
    let evaluation = design.evaluation(images: images, type)
    let fit = SpriteFit(
      specification.method, specification.settings,
      sample: design.trainingSample(
        count: specification.size, seed: specification.seed, images: images, type),
      seed: specification.seed)
    var run =
      try runs.resume(fit, specification)
      ?? SpriteRun(
        specification, constantError: Self.constantError(evaluation),
        threadCount: Parallelism.threadCount, linearAlgebra: LinearAlgebraBackend.description)
    while !run.isFinished {
      iterate(fit, evaluation, &run)
      let goesOn = run.losses.last.map { losses in
        observer(
          SpriteRunEvent(
            iteration: run.losses.count, inner: losses.inner, outer: losses.outer,
            seconds: run.secondsPerIteration ?? 0))
      }
      if run.isFinished { break }
      if goesOn == false || run.losses.count.isMultiple(of: checkpointInterval) {
        run.notePeakMemory()
        try runs.writeCheckpoint(run, fit)
      }
      if goesOn == false { return false }
    }
    run.notePeakMemory()
    try runs.write(run)
    return true
  }

  private func iterate(
    _ fit: SpriteFit, _ evaluation: DSpritesEvaluation, _ run: inout SpriteRun
  ) {
    let clock = ContinuousClock()
    do {
      let start = clock.now
      let losses = try fit.step()
      run.seconds.append((clock.now - start) / .seconds(1))
      run.losses.append(losses)
      try evaluate(fit, evaluation, &run)
    } catch {
      run.failure = "\(error)"
    }
  }

  private func evaluate(
    _ fit: SpriteFit, _ evaluation: DSpritesEvaluation, _ run: inout SpriteRun
  ) throws {
    let iteration = run.losses.count
    let isLast = iteration == fit.iterations
    guard isLast || iteration.isMultiple(of: Self.evaluationInterval) else { return }
    let error = try fit.error(on: evaluation)
    guard error.isFinite else { throw NotFinite(iteration: iteration) }
    run.errors.append(SpriteRun.ErrorPoint(iteration: iteration, error: error))
    if isLast { run.outOfSampleError = error }
  }

  /// The mean squared error of the best constant, the variance of the truth.
  private static func constantError(_ evaluation: DSpritesEvaluation) -> Double {
    let truth = evaluation.structuralValues.cast(to: .float64)
    return square(truth - truth.mean()).mean().scalar
  }

  private struct NotFinite: Error, CustomStringConvertible {
    let iteration: Int

    var description: String {
      "the out-of-sample error is not finite at outer iteration \(iteration); choose smaller "
        + "learning rates"
    }
  }
}

/// What a run reports after an iteration: a line of JSON on the standard output of its process.
struct SpriteRunEvent: Codable, Sendable {
  let iteration: Int
  let inner: Double
  let outer: Double
  /// Of an iteration, the median so far.
  let seconds: Double
}
