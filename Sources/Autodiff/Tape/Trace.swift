import CTensorKernels
import Synchronization

/// One run of one transform.
///
/// Levels are numbered by a counter that only grows. A transform that starts inside another one
/// therefore has the higher number, no level is ever confused with an earlier one (so no
/// perturbation confusion, not even through a tensor that outlives its transform), and a closure
/// that throws leaves nothing to restore.
final class Level: Sendable {
  let number: UInt64
  /// The tape of a reverse level; a forward level has none.
  let tape: Tape?
  private let open = Atomic(true)
  /// The level that was opened before this one on its thread and is still open.
  nonisolated(unsafe) let outer: UnsafeMutableRawPointer?

  private static let counter = Atomic<UInt64>(0)

  init(tape: Tape?) {
    number = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
    self.tape = tape
    Self.openCount.wrappingAdd(1, ordering: .relaxed)
    outer = tk_thread_slot(TK_OPEN_LEVELS)
    tk_set_thread_slot(TK_OPEN_LEVELS, Unmanaged.passUnretained(self).toOpaque())
  }

  /// Whether the transform's closure still runs.
  ///
  /// With respect to a closed level every tensor is a constant, because nothing can ask for that
  /// derivative any more.
  var isOpen: Bool { open.load(ordering: .relaxed) }

  /// The number of the level that was opened last, on any thread.
  static var latest: UInt64 { counter.load(ordering: .relaxed) }

  private static let openCount = Atomic<Int>(0)

  /// Whether some transform runs, on any thread: without one nothing is differentiated.
  static var isAnyOpen: Bool { openCount.load(ordering: .relaxed) > 0 }

  func close() {
    guard open.exchange(false, ordering: .relaxed) else { return }
    Self.openCount.wrappingSubtract(1, ordering: .relaxed)
    // Transforms are closures, so levels close in the reverse order.
    tk_set_thread_slot(TK_OPEN_LEVELS, outer)
  }
}

/// What a tensor carries for the transform that is differentiating it.
///
/// A tensor's traces form a chain, innermost (highest-numbered) level first. Peeling a level off
/// gives the same value as seen by the levels below.
final class Trace: Sendable {
  enum Role: Sendable {
    /// Reverse level: where the tape keeps this tensor.
    case slot(Int32)
    /// Forward level: the derivative that travels with this tensor.
    case tangent(Tensor)
    /// Either: the tensor has no derivative, and asking for it is refused with this reason.
    case refused(String)
  }

  let level: Level
  let role: Role
  let below: Trace?

  init(level: Level, role: Role, below: Trace?) {
    self.level = level
    self.role = role
    self.below = below
  }
}

extension Tensor {
  /// Whether some transform that is still running differentiates this tensor.
  public var isTraced: Bool { highestOpenLevel != nil }

  /// The innermost level that is still open, not hidden, and sees this tensor.
  var highestOpenLevel: Level? {
    var trace = tracing
    while let current = trace {
      if current.level.isVisible { return current.level }
      trace = current.below
    }
    return nil
  }

  /// The tensor as the levels below `level` see it.
  func peeled(of level: Level) -> Tensor { peeled(from: level.number) }

  /// The tensor as the levels with smaller numbers see it.
  package func peeled(from number: UInt64) -> Tensor {
    guard var current = tracing else { return self }
    while current.level.number >= number {
      guard let below = current.below else { return with(trace: nil) }
      current = below
    }
    return with(trace: current)
  }

  /// This tensor's trace at `level`, if it has one.
  func trace(at level: Level) -> Trace? {
    var trace = tracing
    while let current = trace, current.level.number > level.number { trace = current.below }
    return trace?.level === level ? trace : nil
  }

  /// The levels that are open, not hidden, and see this tensor, outermost first.
  var openLevels: [Level] {
    var levels: [Level] = []
    var trace = tracing
    while let current = trace {
      if current.level.isVisible { levels.append(current.level) }
      trace = current.below
    }
    return levels.reversed()
  }

  /// This tensor's place on the tape of `level`.
  func slot(at level: Level) -> Int32? {
    switch trace(at: level)?.role {
    case .slot(let slot): return slot
    case .refused(let reason): stop("derivative", reason)
    default: return nil
    }
  }

  /// This tensor's derivative at the forward level `level`; nil is an exact zero.
  func tangent(at level: Level) -> Tensor? {
    switch trace(at: level)?.role {
    case .tangent(let tangent): return tangent
    case .refused(let reason): stop("derivative", reason)
    default: return nil
    }
  }

  func traced(_ role: Trace.Role, at level: Level) -> Tensor {
    with(trace: Trace(level: level, role: role, below: tracing))
  }
}
