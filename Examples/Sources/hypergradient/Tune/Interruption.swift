import Dispatch
import Foundation
import Synchronization

/// Whether the user has asked to stop, by Ctrl-C or a request to end the program.
///
/// The first signal sets a flag that is looked at after each iteration; a second one ends the
/// program at once.
struct Interruption {
  private let flag = Flag()
  private let sources: [any DispatchSourceSignal]

  private final class Flag: Sendable {
    let isSet = Atomic<Bool>(false)
  }

  init() {
    let flag = flag
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        flag.isSet.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
      source.resume()
      return source
    }
  }

  /// Whether a signal has come.
  var isRequested: Bool { flag.isSet.load(ordering: .relaxed) }

  /// Lets signals end the program again.
  func end() {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }
}

/// The run was interrupted after its state had been written.
struct Interrupted: Error, CustomStringConvertible {
  /// The state.
  let path: String

  var description: String {
    "interrupted; the state is in \(path). Go on with\n  \(Self.command(resuming: path))"
  }

  /// This command with `--resume`, fit for a shell.
  private static func command(resuming path: String) -> String {
    var words: [String] = []
    var skipsNext = false
    for word in CommandLine.arguments {
      if skipsNext {
        skipsNext = false
      } else if word == "--resume" {
        skipsNext = true
      } else if !word.hasPrefix("--resume=") {
        words.append(word)
      }
    }
    return (words + ["--resume", path]).map(shellWord).joined(separator: " ")
  }

  private static func shellWord(_ word: String) -> String {
    let plain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_=,./:+@".contains($0) }
    return plain && !word.isEmpty
      ? word : "'\(word.replacingOccurrences(of: "'", with: "'\\''"))'"
  }
}
