/// Why a bilevel layer gave no answer.
public enum BilevelError: Error {
  /// The inner problem was not solved.
  case inner(SolverStatus)
  /// A linear system of the implicit function theorem was not solved, so a derivative is missing.
  case adjoint(SolverStatus)
  /// A closure of the user's threw.
  case function(any Error)
}

extension BilevelError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .inner(let status):
      """
      inner problem \(status)
        residuals: \(status.historyTail)
        likely cause: \(status.advice)
      """
    case .adjoint(let status):
      """
      adjoint system \(status)
        residuals: \(status.historyTail)
        likely cause: \(status.advice)
      """
    case .function(let error): "\(error)"
    }
  }
}

/// Runs code of the user's, which may throw anything.
func calling<R>(_ body: () throws -> R) throws(BilevelError) -> R {
  do {
    return try body()
  } catch let error as BilevelError {
    throw error
  } catch {
    throw .function(error)
  }
}
