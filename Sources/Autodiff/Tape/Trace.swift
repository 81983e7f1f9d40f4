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

  private static let counter = Atomic<UInt64>(0)

  init(tape: Tape?) {
    number = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
    self.tape = tape
  }

  /// Whether the transform's closure still runs.
  ///
  /// With respect to a closed level every tensor is a constant, because nothing can ask for that
  /// derivative any more.
  var isOpen: Bool { open.load(ordering: .relaxed) }

  func close() { open.store(false, ordering: .relaxed) }
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

  /// The innermost level that is still open and sees this tensor.
  var highestOpenLevel: Level? {
    var trace = tracing
    while let current = trace {
      if current.level.isOpen { return current.level }
      trace = current.below
    }
    return nil
  }

  /// The tensor as the levels below `level` see it.
  func peeled(of level: Level) -> Tensor {
    guard var current = tracing else { return self }
    while current.level.number >= level.number {
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

  /// This tensor's place on the tape of `level`.
  func slot(at level: Level) -> Int32? {
    guard case .slot(let slot)? = trace(at: level)?.role else { return nil }
    return slot
  }

  /// This tensor's derivative at the forward level `level`; nil is an exact zero.
  func tangent(at level: Level) -> Tensor? {
    guard case .tangent(let tangent)? = trace(at: level)?.role else { return nil }
    return tangent
  }

  func traced(_ role: Trace.Role, at level: Level) -> Tensor {
    with(trace: Trace(level: level, role: role, below: tracing))
  }
}
