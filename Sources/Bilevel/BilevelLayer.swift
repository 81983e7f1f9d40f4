import Autodiff
import Solvers

/// A differentiable operator from outer variables to the solution of an inner problem.
///
/// `AID` differentiates the solution, `ITD` the iterations; which one is a value at the same call
/// site:
///
///     let layer: any BilevelLayer<Weights, Tensor> = unrolls ? ITD(…) : AID(…)
///     let (loss, hypergradient) = try valueWithGradient(at: λ) { λ in
///       let w = try layer.solution(at: λ).value
///       return validationLoss(w)
///     }
public protocol BilevelLayer<Inner, Outer> {
  /// The inner variable.
  associatedtype Inner: TensorTree
  /// The outer variable; a struct or a `TreePack` where there are several.
  associatedtype Outer: TensorTree

  /// Solves the inner problem.
  ///
  /// - Parameters:
  ///   - outer: The outer variables. What the layer's closures capture is differentiated as well.
  ///   - warmStart: Where the last solve ended, updated by this one.
  /// - Returns: The solution, whose derivatives of every order in every mode are those of the
  ///   mathematical solution map (`AID`) or of the iteration (`ITD`).
  /// - Throws: `SolverError` where the solve did not converge; a transform throws it where an
  ///   adjoint system was not solved.
  func solution(
    at outer: Outer, warmStart: WarmStart<Inner>?
  ) throws(SolverError) -> Solution<Inner>
}

extension BilevelLayer {
  /// Solves the inner problem from the layer's initial point.
  public func solution(at outer: Outer) throws(SolverError) -> Solution<Inner> {
    try solution(at: outer, warmStart: nil)
  }
}

/// The solution of an inner problem with its evidence.
public struct Solution<Value: TensorTree> {
  /// The solution, differentiable.
  public let value: Value
  /// How well it was solved, and what the derivatives taken through it required.
  public let record: TrustRecord

  /// How the inner solve ended.
  public var status: SolverStatus { record.inner }
}

extension Solution: Sendable where Value: Sendable {}

/// What a layer does about a solve that does not reach its threshold.
public enum FailurePolicy: Sendable {
  /// Throw.
  case `throw`
  /// Return what there is; the status in the record says so. A method that does not apply at all
  /// (a refusal) throws nevertheless.
  case report
}

/// Where the solves of a layer start: explicit state of an outer loop.
///
///     let state = WarmStart<Weights>()
///     for _ in 0..<steps {
///       let (_, slope) = try valueWithGradient(at: λ) { λ in
///         validationLoss(try layer.solution(at: λ, warmStart: state).value)
///       }
///       λ -= rate * slope
///     }
///
/// For `AID` it changes what a solve costs, not what it is solved to; for `ITD` it is the point from
/// which the fixed number of iterations starts. Layers are shared by tasks; a state belongs to one.
public final class WarmStart<Inner: TensorTree> {
  /// Where the next inner solve starts; nil is the layer's initial point.
  ///
  /// May be saved and set, to resume.
  public var inner: Inner?
  /// Where the next adjoint solve starts; nil is zero.
  public var adjoint: Tensor?

  /// A state that starts at the layer's initial point.
  public init() {}

  /// Forgets where the last solves ended.
  public func reset() { (inner, adjoint) = (nil, nil) }
}

extension SolverError.Problem {
  /// A linear system of the implicit function theorem: without it a derivative is missing.
  public static let adjoint = SolverError.Problem("adjoint system")
}
