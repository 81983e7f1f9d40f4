import Autodiff
import Solvers

extension AID {
  /// Records how far a hypergradient evaluated at x is from a better one: after one more step, with
  /// the adjoint system solved tightly.
  ///
  /// Where the better one cannot be had, the record says so instead of giving a number; the
  /// hypergradient itself stands.
  func estimateError(
    of gradient: Outer, at x: Tensor, outer: Outer, status: SolverStatus,
    by estimate: ErrorEstimate, into record: TrustRecord, loss: OuterLoss<Inner, Outer>
  ) {
    let solver = referenceSolver
    var layer = AID(formulation, initial, LBFGS(), solver)
    layer.solver = self.solver
    layer.onFailure = .report
    let estimation = Estimation(
      layer: layer, estimator: .preconditioned(estimate.step(solver)), status: status,
      warmStart: nil)
    let better: Outer
    let evidence: TrustRecord
    do throws(SolverError) {
      let (moved, movedStatus) = try estimation.moved(x, outer, status)
      let rounding = layout.scalarType == .float32 ? 1e-5 : 1e-10
      let isRounding = status.relativeError <= rounding || status.relativeResidual <= rounding
      // A fifth, as of a solution: see `SolutionCertificate`.
      if case .newton = estimate, !isRounding, movedStatus.residual > 0.2 * status.residual {
        return record.note(
          "no error estimate: a Newton step hardly lowers the residual; x is far off")
      }
      evidence = TrustRecord(inner: movedStatus)
      better = try estimation.estimate(moved, outer, evidence, loss).gradient
    } catch {
      switch error {
      case .unsolved(let failure, _):
        return record.note("no error estimate: \(failure)")
      case .function(let failure): return record.note("no error estimate: \(failure)")
      }
    }
    if let failure = evidence.linearSolves.first(where: {
      !$0.isAtWorkingPrecision(layout.scalarType)
    }) {
      return record.note("no error estimate: \(failure)")
    }
    let difference = relativeDifference(gradient, from: better)
    guard difference.isFinite else {
      return record.note("no error estimate: the better hypergradient is 0 or not finite")
    }
    record.setEstimatedRelativeError(difference)
  }

  /// A linear solver to trust: direct while that is cheap, else an iteration with a tight tolerance.
  private var referenceSolver: any LinearSolver {
    let tolerance = layout.scalarType == .float32 ? 1e-6 : 1e-11
    if layout.size <= 300 { return DenseLU(tolerance: tolerance) }
    return formulation.kind.hasObjective
      ? ConjugateGradient(tolerance: tolerance) : GMRES(tolerance: tolerance)
  }
}

/// ‖a − b‖ / ‖b‖ over all floating-point tensors.
func relativeDifference<T: TensorTree>(_ a: T, from b: T) -> Double {
  var (difference, reference) = (0.0, 0.0)
  for (u, v) in zip(a.tensors, b.tensors) where u.scalarType.isFloatingPoint {
    difference += square(u - v).sum().scalar
    reference += square(v).sum().scalar
  }
  return difference == 0 ? 0 : (difference / reference).squareRoot()
}
