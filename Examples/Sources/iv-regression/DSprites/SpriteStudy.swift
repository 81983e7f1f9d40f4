import Autodiff
import ExampleSupport
import Foundation

/// Makes the runs that are missing, some at once.
struct SpriteStudy {
  let runs: SpriteRuns
  let specifications: [SpriteSpecification]
  let jobs: Int
  /// Iterations from one checkpoint of a run to the next.
  let checkpointInterval: Int

  /// Makes all runs that have not ended yet.
  ///
  /// - Parameter finished: Those that have.
  /// - Returns: All runs, in the order of the specifications.
  func complete(_ finished: [SpriteRun]) throws -> [SpriteRun] {
    var results = Dictionary(uniqueKeysWithValues: finished.map { ($0.specification.name, $0) })
    let pending = specifications.filter { results[$0.name] == nil }
    var progress = SpriteProgress(pending, finished: finished, jobs: jobs)
    var waiting = pending[...]
    var running: [SpriteProcess] = []
    let children = SpriteProcessIdentifiers()
    let interruption = Interruption(
      announcement: "stopping after this iteration; Ctrl-C again stops now",
      abandon: { children.kill() })
    defer {
      interruption.end()
      progress.finish()
    }
    do {
      while !waiting.isEmpty || !running.isEmpty {
        while running.count < jobs, !interruption.isRequested, let next = waiting.popFirst() {
          let process = try start(next)
          children.insert(process.identifier)
          running.append(process)
        }
        Thread.sleep(forTimeInterval: 0.05)
        if interruption.isRequested {
          throw Interrupted(
            state: "runs that have ended, and the others so far, are kept in \(runs.directory)",
            resumingFrom: nil)
        }
        for process in running where !process.isRunning {
          running.removeAll { $0 === process }
          children.remove(process.identifier)
          let run = try result(of: process)
          results[run.specification.name] = run
          progress.note(run)
        }
        progress.update(ended: Set(results.keys), running: running)
      }
    } catch {
      end(running)
      throw error
    }
    return specifications.compactMap { results[$0.name] }
  }

  private func start(_ specification: SpriteSpecification) throws -> SpriteProcess {
    try SpriteProcess(
      specification,
      arguments: [
        SpriteRunCommand.configuration.commandName ?? "", jsonText(specification), runs.directory,
        "\(checkpointInterval)",
      ], threadCount: max(1, Parallelism.threadCount / jobs))
  }

  private func result(of process: SpriteProcess) throws(SpriteStudyError) -> SpriteRun {
    defer { process.cleanUp() }
    guard process.hasSucceeded else {
      throw process.failure
    }
    return try SpriteRun(contentsOfFile: runs.path(of: process.specification))
  }

  /// Lets all runs keep their states and waits for their ends.
  private func end(_ running: [SpriteProcess]) {
    for process in running { process.terminate() }
    for process in running {
      while process.isRunning { Thread.sleep(forTimeInterval: 0.02) }
      process.cleanUp()
    }
  }
}
