import Dispatch
import Foundation
import Synchronization

/// Whether the user has asked to stop, by Ctrl-C or a request to end the program.
///
/// The first signal sets a flag that is looked at after each iteration; a second one of the same
/// kind ends the program at once.
public struct Interruption {
  private let flag = Flag()
  private let sources: [any DispatchSourceSignal]

  private final class Flag: Sendable {
    let isSet = Atomic<Bool>(false)
  }

  /// Listens from now on.
  ///
  /// - Parameters:
  ///   - announcement: A line for standard error at the first signal; nil for none.
  ///   - abandon: Called at the second signal, before the program ends.
  public init(announcement: String? = nil, abandon: (@Sendable () -> Void)? = nil) {
    let flag = flag
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let wasSent = Flag()
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        // A process of a study may get both signals, from the terminal and from the study, which
        // is one request and not two.
        if wasSent.isSet.exchange(true, ordering: .relaxed) {
          abandon?()
          _exit(128 + number)
        }
        let isFirst = !flag.isSet.exchange(true, ordering: .relaxed)
        if isFirst, let announcement {
          // On a line of its own, below that of a meter.
          StandardStreams.note("\n\(announcement)\n")
        }
      }
      source.resume()
      return source
    }
  }

  /// Whether a signal has come.
  public var isRequested: Bool { flag.isSet.load(ordering: .relaxed) }

  /// Lets signals end the program again.
  public func end() {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }
}

/// The run was interrupted after its state had been written.
public struct Interrupted: Error, CustomStringConvertible {
  /// What is kept where, as a clause.
  private let state: String
  private let command: String

  /// An interruption of this program.
  ///
  /// - Parameters:
  ///   - state: What is kept where, such as "the state is in a.json".
  ///   - path: The value of `--resume` to go on with; nil where `--resume` is a flag.
  public init(state: String, resumingFrom path: String?) {
    self.state = state
    command = Self.command(resumingFrom: path)
  }

  public var description: String { "interrupted; \(state). Go on with\n  \(command)" }

  /// This command with `--resume`, fit for a shell.
  private static func command(resumingFrom path: String?) -> String {
    var words: [String] = []
    var skipsNext = false
    for word in CommandLine.arguments {
      if skipsNext {
        skipsNext = false
      } else if word == "--resume" {
        skipsNext = path != nil
      } else if !word.hasPrefix("--resume=") {
        words.append(word)
      }
    }
    return (words + ["--resume"] + [path].compactMap { $0 }).map(shellWord).joined(separator: " ")
  }

  private static func shellWord(_ word: String) -> String {
    let plain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_=,./:+@".contains($0) }
    return plain && !word.isEmpty
      ? word : "'\(word.replacingOccurrences(of: "'", with: "'\\''"))'"
  }
}
