import Autodiff

/// Anderson's acceleration of a fixed-point iteration.
///
///     γ = argmin ‖F(x) − ΔF γ‖,  x ← x − ΔX γ − β (F(x) − ΔF γ)
///
/// ΔX and ΔF hold the last m differences of points and residuals F = x − T(x). On a linear map it is
/// essentially GMRES, so that it also finds fixed points of many maps that do not contract.
///
/// The default for fixed points. An iteration costs one T and about m² vector operations; memory is
/// 2m vectors. Differences that are nearly dependent are left out of the least-squares problem,
/// oldest first. A step that makes ‖F‖ ten times larger, or not finite, is taken back: the
/// differences are dropped and the mixing β is halved.
///
/// Anderson, Iterative procedures for nonlinear integral equations (1965); Walker and Ni, Anderson
/// acceleration for fixed-point iterations (2011).
public struct AndersonAcceleration: InnerSolver {
  /// m, the number of differences kept.
  public let depth: Int
  /// β, the part of the combined residual by which a step moves.
  public let mixing: Double
  /// When to stop.
  public let stopping: StoppingRule

  /// Anderson acceleration.
  ///
  /// - Precondition: The depth is positive; the mixing is positive and at most 1.
  public init(depth: Int = 5, mixing: Double = 1, stopping: StoppingRule = StoppingRule()) {
    guard depth > 0 else {
      stop("AndersonAcceleration", "the depth must be positive, found \(depth)")
    }
    guard mixing > 0, mixing <= 1 else {
      stop("AndersonAcceleration", "the mixing must be above 0 and at most 1, found \(mixing)")
    }
    self.depth = depth
    self.mixing = mixing
    self.stopping = stopping
  }

  public func solve(_ problem: InnerProblem) throws(BilevelError) -> InnerSolution {
    problem.require([.fixedPoint], for: "AndersonAcceleration")
    var run = InnerRun("AndersonAcceleration", problem, stopping)
    var differences = Differences(limit: depth)
    var mixing = mixing
    var f = try run.residual(at: run.point)
    run.begin(residual: norm(f))
    while run.isRunning {
      let x = run.point
      let next = differences.step(from: x, f, mixing: mixing)
      let nextF = try run.residual(at: next)
      let residual = norm(nextF)
      guard residual.isFinite, residual <= 10 * run.residual else {
        differences.removeAll()
        mixing *= 0.5
        if mixing < 1e-6 { run.end(residual.isFinite ? .stalled : .notFinite) }
        continue
      }
      run.advance(to: next, residual: residual, isProgress: residual < 0.9999 * run.residual)
      differences.append(x: next - x, f: nextF - f)
      f = nextF
    }
    return run.solution
  }
}

/// The last differences of points and residuals, newest first.
private struct Differences {
  private let limit: Int
  private var pairs: [(x: Tensor, f: Tensor)] = []

  /// What has to remain of a difference of residuals, relative to its length, beside newer ones.
  private static let independence = 1e-7

  init(limit: Int) { self.limit = limit }

  mutating func removeAll() { pairs.removeAll() }

  mutating func append(x: Tensor, f: Tensor) {
    if pairs.count == limit { pairs.removeLast() }
    pairs.insert((x, f), at: 0)
  }

  /// x − ΔX γ − β (F − ΔF γ).
  ///
  /// Orthogonalising the columns of ΔF applies the same combinations to those of ΔX, so that γ
  /// itself is never needed: with ΔF = Q R and P = ΔX R⁻¹, ΔX γ = P Qᵀ F and ΔF γ = Q Qᵀ F.
  func step(from x: Tensor, _ f: Tensor, mixing: Double) -> Tensor {
    var (point, remainder) = (x, f)
    var basis: [(p: Tensor, q: Tensor)] = []
    for pair in pairs {
      var (p, q) = (pair.x, pair.f)
      let length = norm(q)
      // Twice, which makes the basis orthogonal to rounding.
      for _ in 0..<2 {
        for other in basis {
          let coefficient = inner(other.q, q)
          q -= coefficient * other.q
          p -= coefficient * other.p
        }
      }
      let rest = norm(q)
      guard rest > max(Self.independence, 10 * f.scalarType.ulpOfOne) * length else { continue }
      (p, q) = (p / rest, q / rest)
      basis.append((p, q))
      let coefficient = inner(q, remainder)
      point -= coefficient * p
      remainder -= coefficient * q
    }
    return point - mixing * remainder
  }
}
