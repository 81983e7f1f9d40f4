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
      explanation("inner problem", status)
    case .adjoint(let status):
      explanation("adjoint system", status)
    case .function(let error): "\(error)"
    }
  }

  private func explanation(_ problem: String, _ status: SolverStatus) -> String {
    var lines = ["\(problem): \(status)"]
    if !status.history.isEmpty { lines.append("  residuals: \(status.historyTail)") }
    return (lines + ["  likely cause: \(status.advice)"]).joined(separator: "\n")
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
