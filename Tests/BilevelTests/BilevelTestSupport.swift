import Autodiff
import Bilevel
import Solvers

/// All sequences of modes for derivatives of an order; true is reverse.
func mixtures(order: Int) -> [[Bool]] {
  (0..<1 << order).map { bits in (0..<order).map { bits >> $0 & 1 == 1 } }
}

typealias ScalarFunction = (Tensor) throws -> Tensor

/// The derivative of a scalar function of a scalar, in reverse or in forward mode.
func derivative(_ f: @escaping ScalarFunction, isReverse: Bool) -> ScalarFunction {
  if isReverse { return { x in try gradient(at: x, unused: .zero, of: f) } }
  return { x in try jvp(at: x, along: Tensor.ones(like: x), of: f).tangent }
}

/// The derivative of the order and in the modes of `modes`, innermost first.
func derivative(_ f: @escaping ScalarFunction, modes: [Bool]) -> ScalarFunction {
  modes.reduce(f) { derivative($0, isReverse: $1) }
}

/// The root of y³ + y = x by Newton's method on Swift numbers: nothing that automatic
/// differentiation could see through.
func cubicRoot(_ x: Double) -> Double {
  var y = x / 2
  for _ in 0..<100 { y -= (y * y * y + y - x) / (3 * y * y + 1) }
  return y
}

/// y, y′, y″, y‴ of the root of y³ + y = x.
func cubicRootDerivatives(_ x: Double) -> [Double] {
  let y = cubicRoot(x)
  let d = 3 * y * y + 1
  let y1 = 1 / d
  let y2 = -6 * y * y1 * y1 * y1
  let y3 = -6 * (y1 * y1 * y1 * y1 + 3 * y * y1 * y1 * y2)
  return [y, y1, y2, y3]
}

/// x* = 1 / y from ½ y x² − x.
func reciprocal(
  _ solver: any InnerSolver = NewtonCG(stopping: StoppingRule(relative: 1e-12))
) -> AID<Tensor, Tensor> {
  AID(
    minimizing: { x, y in (0.5 * y * x * x - x).sum() }, startingAt: Tensor([0.1]), solver: solver)
}

extension AID {
  /// The same layer, returning what it has.
  var reporting: AID {
    var layer = self
    layer.onFailure = .report
    return layer
  }
}

extension SolverError {
  /// The status of an adjoint system that was not solved.
  var adjointStatus: SolverStatus? {
    if case .unsolved(let status, of: .adjoint) = self { return status }
    return nil
  }

  /// The status of an inner problem that was not solved.
  var innerStatus: SolverStatus? {
    if case .unsolved(let status, of: .inner) = self { return status }
    return nil
  }
}
