import Autodiff
import Solvers

extension ITD {
  /// The hypergradient d/dy g(x_T(y), y), with its error as an estimate of that of the solution.
  ///
  /// - Parameters:
  ///   - outer: y.
  ///   - errorEstimate: How to estimate the relative error: against an implicit hypergradient after
  ///     one more step from x_T.
  ///   - warmStart: Where the iteration starts.
  ///   - loss: g, a scalar.
  public func hypergradient(
    at outer: Outer, errorEstimate: ErrorEstimate? = nil, warmStart: WarmStart<Inner>? = nil,
    of loss: OuterLoss<Inner, Outer>
  ) throws(SolverError) -> Hypergradient<Inner, Outer> {
    var solution: Solution<Inner>?
    let floor = latestLevel
    let (value, gradient) = try valueWithGradient(at: outer, unused: .zero) {
      y throws(SolverError) in
      let found = try self.solution(at: y, warmStart: warmStart)
      solution = found
      return try calling { try loss(found.value, y) }
    }
    guard let solution else { stop("ITD.hypergradient", "the outer loss was not evaluated") }
    if let errorEstimate {
      hidingLevels {
        implicit.estimateError(
          of: stopGradient(gradient),
          at: layout.vector(stopGradient(solution.value), "ITD", "solution"),
          outer: stopGradient(outer), status: solution.status, by: errorEstimate,
          into: solution.record, loss: loss)
      }
    }
    // The transforms around this one see x_T as it is.
    let inner = solution.value.mapTensors { $0.peeled(from: floor + 1) }
    return Hypergradient(value: value, gradient: gradient, inner: inner, record: solution.record)
  }

  /// The implicit layer of the same inner problem.
  private var implicit: AID<Inner, Outer> {
    AID(
      formulation, initial, LBFGS(),
      formulation.kind.hasObjective ? ConjugateGradient() : GMRES()
    ).solved(tolerance: StoppingRule(relative: 1)) { start, _ in start }
  }
}
