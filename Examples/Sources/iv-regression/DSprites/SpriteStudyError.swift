/// Why a directory of runs cannot be used, or a run did not end.
enum SpriteStudyError: Error, CustomStringConvertible {
  case unusableRun(path: String, reason: String)
  case otherSettings(path: String, option: String, found: String, wanted: String)
  case runsExist(directory: String, count: Int)
  case runStopped(name: String, message: String)
  case invalidRequest
  case unusableCheckpoint(path: String, reason: String)

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
    case .runStopped(let name, let message):
      "the run \(name) stopped:\n\(message)\nRuns that have ended are kept; add --resume to go on"
    case .unusableCheckpoint(let path, let reason):
      "\(path): the run cannot go on from it: \(reason); delete the file to begin the run anew"
    case .invalidRequest:
      "expected the description of a run, as 'iv-regression dsprites' gives it; use that command"
    }
  }
}
