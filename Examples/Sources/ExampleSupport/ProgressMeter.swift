import Foundation

/// Shows on standard error how far a long computation is; nothing goes to standard output.
///
/// On a terminal one line is updated in place, with a bar, the rate, the time left and a figure of
/// the caller's, such as the loss. Elsewhere (a file, a pipe, a CI log) a plain line appears at
/// most once per tenth of the work.
public final class ProgressMeter {
  private let format: ProgressFormat
  private let isTerminal: Bool
  private let now: () -> Double
  private let write: (String) -> Void
  private let start: Double
  private var lastDrawn = -Double.infinity
  private var lastTenth = 0
  private var lineLength = 0

  /// Starts a meter on standard error.
  ///
  /// - Parameters:
  ///   - label: What is being done, in a word or two.
  ///   - total: The number of steps.
  ///   - unit: The name of a step, for the rate; nil if the steps are too unlike for a rate.
  public convenience init(label: String, total: Int, unit: String? = "step") {
    let clock = ContinuousClock()
    let origin = clock.now
    self.init(
      label: label, total: total, unit: unit, isTerminal: Terminal.isInteractive,
      width: Terminal.width,
      now: { (clock.now - origin) / .seconds(1) },
      write: { StandardStreams.note($0) })
  }

  /// Starts a meter with a terminal, a clock in seconds and an output of the caller's choice.
  package init(
    label: String, total: Int, unit: String?, isTerminal: Bool, width: Int,
    now: @escaping () -> Double, write: @escaping (String) -> Void
  ) {
    format = ProgressFormat(label: label, total: total, unit: unit, width: width)
    (self.isTerminal, self.now, self.write) = (isTerminal, now, write)
    start = now()
  }

  /// Reports that `completed` steps are done.
  ///
  /// Cheap to call at every step: a terminal is redrawn ten times a second at most.
  ///
  /// - Parameter note: A figure to show beside the progress, such as `loss 0.0123`.
  public func update(completed: Int, note: @autoclosure () -> String = "") {
    let time = now()
    let isLast = completed >= format.total
    if isTerminal {
      guard isLast || time - lastDrawn >= 0.1 else { return }
      lastDrawn = time
      draw(format.bar(completed: completed, elapsed: time - start, note: note()))
    } else {
      let tenth = format.total > 0 ? completed * 10 / format.total : 10
      guard tenth > lastTenth else { return }
      lastTenth = tenth
      write(format.plain(completed: completed, elapsed: time - start, note: note()) + "\n")
    }
  }

  /// Ends the line on a terminal, so that what is printed next starts on a new one.
  public func finish() {
    if isTerminal, lineLength > 0 { write("\n") }
    lineLength = 0
  }

  private func draw(_ line: String) {
    // Blanks cover what is left of a longer line before.
    let padding = String(repeating: " ", count: max(0, lineLength - line.count))
    write("\r" + line + padding)
    lineLength = line.count
  }
}

/// The texts of a progress meter.
package struct ProgressFormat: Sendable {
  package let label: String
  package let total: Int
  package let unit: String?
  package let width: Int

  package init(label: String, total: Int, unit: String?, width: Int) {
    self.label = label
    self.total = max(0, total)
    (self.unit, self.width) = (unit, width)
  }

  /// The line for a terminal, at most `width` characters long.
  package func bar(completed: Int, elapsed: Double, note: String) -> String {
    let fraction = fraction(completed)
    let cells = 24
    let filled = Int((fraction * Double(cells)).rounded(.down))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: cells - filled)
    var parts = ["\(percent(fraction)) \(completed)/\(total)"]
    parts += details(completed, elapsed, note)
    return String("\(label) \(bar) \(parts.joined(separator: "  "))".prefix(max(20, width - 1)))
  }

  /// The line for a file.
  package func plain(completed: Int, elapsed: Double, note: String) -> String {
    let head = "\(label): \(completed)/\(total) (\(percent(fraction(completed))))"
    return ([head] + details(completed, elapsed, note)).joined(separator: ", ")
  }

  private func details(_ completed: Int, _ elapsed: Double, _ note: String) -> [String] {
    var parts: [String] = []
    if let unit, completed > 0, elapsed > 0 {
      let rate = Double(completed) / elapsed
      parts.append("\(Numbers.significant(rate, digits: 3)) \(unit)s/s")
      parts.append(
        completed >= total
          ? "took \(Numbers.duration(elapsed))"
          : "\(Numbers.duration(Double(total - completed) / rate)) left")
    }
    if !note.isEmpty { parts.append(note) }
    return parts
  }

  private func fraction(_ completed: Int) -> Double {
    total > 0 ? min(1, max(0, Double(completed) / Double(total))) : 1
  }

  private func percent(_ fraction: Double) -> String {
    // Rounded down: 100 % means done.
    "\(Int((fraction * 100).rounded(.down))) %"
  }
}

/// What is known of the terminal behind standard error.
enum Terminal {
  /// Whether a line on standard error can be updated in place.
  static var isInteractive: Bool {
    isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// The number of characters of a line.
  static var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
