import Foundation

/// Why a directory of runs cannot be used, or a run did not end.
enum SpriteStudyError: Error, CustomStringConvertible {
  case unusableRun(path: String, reason: String)
  case otherSettings(path: String, option: String, found: String, wanted: String)
  case runsExist(directory: String, count: Int)
  case runFailed(name: String, message: String)
  case runKilled(name: String, signal: Int32, message: String)
  case runStopped(name: String)
  case invalidRequest
  case damagedCheckpoint(path: String, run: String, reason: String)

  var description: String {
    switch self {
    case .unusableRun(let path, let reason):
      "\(path): cannot be used as a run: \(reason); delete the file to repeat the "
        + "run, or choose another --output"
    case .otherSettings(let path, let option, let found, let wanted):
      "\(path): belongs to other settings: \(option) was \(found) there and is \(wanted) now; "
        + "repeat the options of that run, or choose another --output"
    case .runsExist(let directory, let count):
      "\(directory): holds \(count) \(count == 1 ? "run" : "runs") already; add --resume to keep "
        + "them and make those that are missing, or choose another --output"
    case .runFailed(let name, let message):
      "the run \(name): \(message)"
    case .runKilled(let name, let signal, let message):
      (message.isEmpty ? "" : message + "\n") + "the run \(name) was ended by signal \(signal)"
        + (signal == SIGKILL
          ? ", often for want of memory: try fewer --jobs or a smaller --size" : "")
        + Self.resumption
    case .runStopped(let name):
      "the run \(name) stopped without a message" + Self.resumption
    case .damagedCheckpoint(let path, let run, let reason):
      "\(path) is damaged; delete it to begin run \(run) anew\n(\(reason))"
    case .invalidRequest:
      "expected the description of a run, as 'iv-regression dsprites' gives it; use that command"
    }
  }
  private static let resumption = "\nRuns that have ended are kept; add --resume to go on"
}
