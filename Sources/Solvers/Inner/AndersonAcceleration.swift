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
/// oldest first.
///
/// A combination that doubles ‖F‖, or a stretch of them without a new lowest ‖F‖, drops the
/// differences and is followed by plain steps, twice as many each time, so that what the plain
/// iteration solves is solved. A plain step that makes ‖F‖ ten times larger, or not finite, is taken
/// back and the mixing β halved. What is returned is the iterate with the lowest ‖F‖.
///
/// Anderson, Iterative procedures for nonlinear integral equations (1965); Walker and Ni, Anderson
/// acceleration for fixed-point iterations (2011); for safeguards, Zhang, O'Donoghue and Boyd,
/// Globally convergent type-I Anderson acceleration (2020).
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
  public init(
    depth: Int = 5, mixing: Double = 1,
    stopping: StoppingRule = StoppingRule(maximumIterations: 10_000)
  ) {
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

  public func solve(_ problem: InnerProblem) throws(SolverError) -> InnerSolution {
    problem.require([.fixedPoint], for: "AndersonAcceleration")
    // ‖F‖ may rise for long where the iteration leaves a fixed point that repels; what combinations do
    // there is the safeguard's business.
    var run = InnerRun(
      "AndersonAcceleration", problem, stopping, patience: 5000, keepsBest: true)
    var differences = Differences(limit: depth)
    var safeguard = Safeguard(window: 2 * depth + 10)
    var mixing = mixing
    var f = try run.residual(at: run.point)
    try run.begin(f)
    while run.isRunning {
      let x = run.point
      if safeguard.wantsPlainStep { differences.removeAll() }
      let isPlain = differences.isEmpty
      let next = differences.step(from: x, f, mixing: mixing)
      let nextF = try run.residual(at: next)
      let residual = norm(nextF)
      guard residual <= (isPlain ? 10 : 2) * run.residual else {
        if isPlain {
          mixing *= 0.5
          if mixing < 1e-6 { try run.end(residual.isFinite ? .stalled : .notFinite) }
        } else {
          safeguard.interrupt()
        }
        continue
      }
      safeguard.note(residual, isPlain: isPlain)
      try run.advance(to: next, nextF, size: residual, isProgress: false)
      differences.append(x: next - x, f: nextF - f)
      f = nextF
    }
    return run.solution
  }
}

/// When plain steps take over: after a bad combination, and after a stretch without a new lowest ‖F‖.
private struct Safeguard {
  let window: Int
  private var lowest = Double.infinity
  private var sinceLowest = 0
  /// The plain steps still to take, and how many the next interruption asks for.
  private var (remaining, length) = (0, 1)

  init(window: Int) { self.window = window }

  var wantsPlainStep: Bool { remaining > 0 }

  mutating func interrupt() {
    remaining = length
    length = min(2 * length, 1 << 20)
    sinceLowest = 0
  }

  mutating func note(_ residual: Double, isPlain: Bool) {
    if isPlain { remaining = max(0, remaining - 1) }
    sinceLowest = residual < lowest ? 0 : sinceLowest + 1
    lowest = min(lowest, residual)
    if sinceLowest >= window { interrupt() }
  }
}

/// The last differences of points and residuals, newest first.
private struct Differences {
  private let limit: Int
  private var pairs: [(x: Tensor, f: Tensor)] = []

  /// What has to remain of a difference of residuals, relative to its length, beside newer ones.
  private static let independence = 1e-7

  init(limit: Int) { self.limit = limit }

  var isEmpty: Bool { pairs.isEmpty }

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
