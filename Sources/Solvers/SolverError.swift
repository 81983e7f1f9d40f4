/// Why there is no solution, or no derivative of one.
///
/// A solver never throws for itself: it returns what it has with a status, and whoever asked decides
/// whether that is an error and says which problem it was. So layers add what they know
/// (`SolverError.Problem`), and there is one error type from the operator of a linear system up to an
/// interval.
public enum SolverError: Error {
  /// A problem was not solved.
  case unsolved(SolverStatus, of: Problem)
  /// A function of the user's threw, or something that is no solver: the error says what.
  case function(any Error)

  /// A problem that a layer needs solved.
  public struct Problem: Sendable, Equatable {
    /// As messages call it.
    public let name: String

    /// A problem with a name.
    public init(_ name: String) { self.name = name }

    /// The inner problem: an argmin, a root or a fixed point.
    public static let inner = Problem("inner problem")
  }
}

extension SolverError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unsolved(let status, let problem):
      var lines = ["\(problem.name): \(status)"]
      if !status.history.isEmpty { lines.append("  residuals: \(status.historyTail)") }
      return (lines + ["  likely cause: \(status.advice)"]).joined(separator: "\n")
    case .function(let error): return "\(error)"
    }
  }
}

/// Runs code of the user's, which may throw anything.
package func calling<R>(_ body: () throws -> R) throws(SolverError) -> R {
  do {
    return try body()
  } catch let error as SolverError {
    throw error
  } catch {
    throw .function(error)
  }
}
