import Autodiff
import Solvers
import Synchronization

/// The evidence for a solution and for the derivatives taken through it.
///
/// It fills while derivatives are taken: a pullback that runs after the layer adds its adjoint
/// solves here. Print it for a summary.
public final class TrustRecord: Sendable, CustomStringConvertible {
  private struct Contents {
    var inner: SolverStatus
    var linearSolves: [SolverStatus] = []
    var estimatedRelativeError: Double?
    var adjointSuffices: Bool?
    var adjointComparison: AdjointComparison?
    var approximation: String?
    var notes: [String] = []
  }

  private let contents: Mutex<Contents>

  package init(inner: SolverStatus) { contents = Mutex(Contents(inner: inner)) }

  /// How well the inner problem was solved.
  public var inner: SolverStatus { contents.withLock { $0.inner } }

  /// The linear systems of the implicit function theorem solved so far, in order.
  ///
  /// The first of a reverse-mode gradient is the adjoint system F₁ᵀ p = g₁.
  public var linearSolves: [SolverStatus] { contents.withLock { $0.linearSolves } }

  /// The estimated relative error of a hypergradient, where one was asked for.
  public var estimatedRelativeError: Double? { contents.withLock { $0.estimatedRelativeError } }

  /// Whether the adjoint residual is small enough for the order of the estimator: at most
  /// (‖F‖ / ‖F at the start‖)^order relative, or working precision; nil where no hypergradient was
  /// asked for.
  public var adjointSuffices: Bool? { contents.withLock { $0.adjointSuffices } }

  /// The last learned adjoint of `FuncID` beside the one in closed form; nil where none was learned.
  public var adjointComparison: AdjointComparison? { contents.withLock { $0.adjointComparison } }

  /// What makes the derivative an approximation whatever the solves reached: a truncation, a
  /// penalty; nil for none.
  public var approximation: String? { contents.withLock { $0.approximation } }

  /// What a reader should know besides.
  public var notes: [String] { contents.withLock { $0.notes } }

  /// Whether every solve so far reached its threshold, and the derivative is no approximation.
  public var isConverged: Bool {
    contents.withLock {
      $0.inner.isConverged && $0.linearSolves.allSatisfy(\.isConverged) && $0.approximation == nil
    }
  }

  func append(_ status: SolverStatus) { contents.withLock { $0.linearSolves.append(status) } }

  func note(_ text: String) { contents.withLock { $0.notes.append(text) } }

  /// Compares the adjoint solves with what the estimator promises.
  func judgeAdjoint(needed: Double) {
    contents.withLock { contents in
      let reached = contents.linearSolves.map(\.relativeResidual).max() ?? 0
      contents.adjointSuffices = reached <= needed
      guard reached > needed else { return }
      contents.notes.append(
        "the adjoint residual \(number(reached)) limits the accuracy: the order of the estimator "
          + "takes \(number(needed))")
    }
  }

  func setApproximation(_ text: String) { contents.withLock { $0.approximation = text } }

  func setAdjointComparison(_ value: AdjointComparison) {
    contents.withLock { $0.adjointComparison = value }
  }

  func setEstimatedRelativeError(_ value: Double) {
    contents.withLock { $0.estimatedRelativeError = value }
  }

  public var description: String {
    let contents = contents.withLock { $0 }
    var lines = ["inner:    \(contents.inner)"]
    lines += contents.linearSolves.suffix(3).map { "adjoint:  \($0)" }
    if contents.linearSolves.count > 3 {
      lines.insert("adjoint:  \(contents.linearSolves.count - 3) earlier solves", at: 1)
    }
    if let comparison = contents.adjointComparison {
      lines.append(
        "adjoint:  cosine \(number(comparison.cosine)) with the closed form, norm ratio "
          + number(comparison.normRatio))
    }
    if let approximation = contents.approximation { lines.append("approximate: \(approximation)") }
    if let error = contents.estimatedRelativeError {
      lines.append("error:    about \(number(error)) relative")
    }
    return (lines + contents.notes.map { "note:     \($0)" }).joined(separator: "\n")
  }
}

/// A learned adjoint beside the one in closed form on the features of the prediction network, on
/// the inner sample.
public struct AdjointComparison: Sendable, Equatable {
  /// ⟨a, a₀⟩ / (‖a‖ ‖a₀‖).
  public let cosine: Double
  /// ‖a‖ / ‖a₀‖.
  public let normRatio: Double
}
