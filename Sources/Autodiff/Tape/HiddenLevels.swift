import CTensorKernels

/// Runs `body` as if no transform were running that has started before: every tensor is a constant
/// in it, also one that it captures.
///
/// What a solver does is no part of the derivative; the implicit function theorem supplies that.
package func hidingLevels<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
  try hidingLevels(from: 0, body)
}

/// Runs `body` as the levels up to `floor` see it.
package func hidingLevels<R, E: Error>(
  above floor: UInt64, _ body: () throws(E) -> R
) throws(E) -> R {
  try hidingLevels(from: floor + 1, body)
}

/// Runs `body` as the levels below `first` see it: the levels from `first` on that exist now are
/// hidden from this thread, levels opened inside are not.
func hidingLevels<R, E: Error>(
  from first: UInt64, _ body: () throws(E) -> R
) throws(E) -> R {
  let outer = tk_thread_slot(TK_HIDDEN_LEVELS)
  let mask = LevelMask(numbers: first..<Level.latest + 1, outer: outer)
  tk_set_thread_slot(TK_HIDDEN_LEVELS, Unmanaged.passUnretained(mask).toOpaque())
  defer {
    tk_set_thread_slot(TK_HIDDEN_LEVELS, outer)
    withExtendedLifetime(mask) {}
  }
  return try body()
}

/// Numbers of levels hidden from this thread, on top of those that `outer` hides.
private final class LevelMask {
  let numbers: Range<UInt64>
  let outer: UnsafeMutableRawPointer?

  init(numbers: Range<UInt64>, outer: UnsafeMutableRawPointer?) {
    self.numbers = numbers
    self.outer = outer
  }
}

extension Level {
  /// Whether code on this thread is differentiated with respect to this level: its closure still
  /// runs, and nothing hides it.
  var isVisible: Bool {
    guard isOpen else { return false }
    // Almost always nil: this is on the path of every operation.
    var next = tk_thread_slot(TK_HIDDEN_LEVELS)
    while let pointer = next {
      let mask = Unmanaged<LevelMask>.fromOpaque(pointer).takeUnretainedValue()
      if mask.numbers.contains(number) {
        // Hidden, but a use that would be refused is refused here too.
        tape?.requireOwnThread("hidingLevels")
        return false
      }
      next = mask.outer
    }
    return true
  }

  /// The levels of transforms that run on this thread and are not hidden, innermost first.
  static var visibleOnThisThread: [Level] {
    var levels: [Level] = []
    var next = tk_thread_slot(TK_OPEN_LEVELS)
    while let pointer = next {
      let level = Unmanaged<Level>.fromOpaque(pointer).takeUnretainedValue()
      if level.isVisible { levels.append(level) }
      next = level.outer
    }
    return levels
  }
}
