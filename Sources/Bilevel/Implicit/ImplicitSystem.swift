import Autodiff
import Solvers

/// The implicit function theorem at one solution of F(x, y) = 0: the one derivative rule of all
/// implicit layers.
///
/// Everything is a vector here, and y is whatever `residual` captures. A linear system A p = b
/// defines p implicitly too, so the rule of a solve is the same rule with F(p) = A p − b: the
/// operator calls itself, and every order in every mode uses it.
package struct ImplicitSystem {
  package typealias VectorFunction = (Tensor) throws(SolverError) -> Tensor

  /// The layer's name, for messages.
  let name: String
  /// F, traced in all it captures.
  let residual: VectorFunction
  let adjoint: AdjointSettings
  let record: TrustRecord
  let cache: Cache

  /// What is kept between the linear systems of one solution, which share a matrix.
  package final class Cache {
    var jacobian: LinearOperator?
    /// Where the first adjoint solve starts, and then where it ended.
    var adjointStart: Tensor?
    var hasSolvedAdjoint = false
    var storeAdjoint: ((Tensor) -> Void)?

    package init() {}
  }

  package init(
    name: String, residual: @escaping VectorFunction, adjoint: AdjointSettings,
    record: TrustRecord, cache: Cache
  ) {
    self.name = name
    self.residual = residual
    self.adjoint = adjoint
    self.record = record
    self.cache = cache
  }

  /// x with its derivatives; levels up to `floor` see x as given.
  package func differentiable(_ x: Tensor, above floor: UInt64 = 0) throws(SolverError) -> Tensor {
    try implicitlyDifferentiated(x, above: floor, name: name, residual: residual, inverse: solve)
  }

  /// F₁(x)⁻¹ b, or F₁(x)⁻ᵀ b, differentiable in x, b and what F captures.
  func solve(
    _ x: Tensor, _ b: Tensor, _ transposed: Bool
  ) throws(SolverError) -> Tensor {
    let found = try hidingLevels { () throws(SolverError) in
      try solveNumerically(stopGradient(x), stopGradient(b), transposed)
    }
    return try implicitlyDifferentiated(
      found, name: name,
      residual: { p throws(SolverError) in try product(x, p, transposed) - b },
      inverse: { _, c, again throws(SolverError) in try solve(x, c, transposed != again) })
  }

  /// F₁(x) v, or F₁(x)ᵀ v, by differentiating F once.
  func product(_ x: Tensor, _ v: Tensor, _ transposed: Bool) throws(SolverError) -> Tensor {
    // Also where F is a gradient: a rule of the user's may have made it one that is not.
    guard transposed else { return try jvp(at: x, along: v, of: residual).tangent }
    return try vjp(at: x, of: residual).pullback(v)
  }

  /// F₁(x) at constants, traced once for all systems of this solution.
  func jacobian(at x: Tensor) throws(SolverError) -> LinearOperator {
    if let kept = cache.jacobian { return kept }
    let (_, differential, pullback) = try linearizeInBothDirections(at: x, of: residual)
    let jacobian = LinearOperator(
      size: x.elementCount, scalarType: x.scalarType, blocks: adjoint.blocks,
      product: { v throws(SolverError) in try differential(v) },
      transposedProduct: { v throws(SolverError) in try pullback(v) })
    if let idle = try jacobian.idleComponents() {
      let status = SolverStatus(
        method: name, outcome: idle, history: [], threshold: 0, scale: 0, evaluations: 1)
      if adjoint.onFailure == .throw { throw .unsolved(status, of: .adjoint) }
      record.note("\(SolverError.unsolved(status, of: .adjoint))")
    }
    cache.jacobian = jacobian
    return jacobian
  }

  private func solveNumerically(
    _ x: Tensor, _ b: Tensor, _ transposed: Bool
  ) throws(SolverError) -> Tensor {
    // Only the first system is like the first one of the previous solution.
    let start = cache.hasSolvedAdjoint ? nil : cache.adjointStart
    let jacobian = try jacobian(at: x)
    let system = LinearSystem(
      jacobian, b, isTransposed: transposed, guess: start, tolerance: adjoint.tolerance)
    var solution = try adjoint.solver.solve(system)
    // A tolerance of the user's is what the user gets.
    if adjoint.isMatched { solution = try improved(solution, of: system) }
    if !cache.hasSolvedAdjoint {
      cache.hasSolvedAdjoint = true
      if solution.value.isFinite { cache.storeAdjoint?(solution.value) }
    }
    record.append(solution.status)
    try adjoint.judge(solution.status)
    return solution.value
  }

  /// A solution whose error is as small as its residual is asked to be.
  ///
  /// A small ‖b − A p‖ says little of an unknown in a unit of its own or of a direction of small
  /// curvature: what is missing of p is A⁻¹(b − A p). With the factors that a certificate made, that is a
  /// step of refinement. Without, ‖A⁻¹‖ is known from the certificate: a residual that leaves too much is
  /// lowered, and where that fails F₁ is formed for up to 500 unknowns.
  private func improved(
    _ solution: LinearSolution, of system: LinearSystem
  ) throws(SolverError) -> LinearSolution {
    let b = system.rightHandSide
    let isExhausted =
      solution.status.outcome == .stalled
      || solution.status.outcome == .iterationLimit
        && solution.status.iterations >= 10 * b.elementCount
    let isSmall = b.elementCount <= Certification.denseFallbackLimit
    guard let least = system.matrix.leastCurvature else {
      if isExhausted { return try DenseFactorization.keptSolution(system) ?? solution }
      guard solution.status.isConverged else { return solution }
      return LinearSolution(
        value: try DenseFactorization.refined(solution.value, of: system), status: solution.status)
    }
    guard solution.status.isConverged || isExhausted else { return solution }
    func error(_ solution: LinearSolution) -> Double {
      solution.status.residual == 0
        ? 0 : solution.status.residual / least / norm(solution.value)
    }
    let limit = max(adjoint.tolerance, adjoint.scalarType == .float32 ? 1e-3 : 1e-7)
    if solution.status.isConverged, error(solution) <= limit { return solution }
    var next = solution
    if solution.status.isConverged {
      let residual = adjoint.tolerance * least * norm(solution.value) / norm(b)
      var closer = system
      closer.guess = solution.value
      closer.tolerance = max(residual, 4 * adjoint.scalarType.ulpOfOne)
      next = try adjoint.solver.solve(closer)
      if error(next) <= limit {
        return LinearSolution(value: next.value, status: solution.status.accepted(next.status))
      }
    }
    guard isSmall else { return next }
    _ = try DenseLU.factors(of: system.matrix)
    return try DenseFactorization.keptSolution(system) ?? next
  }
}

/// How the linear systems of a layer are solved.
package struct AdjointSettings {
  let solver: any LinearSolver
  /// The relative residual that the layer asks for.
  let tolerance: Double
  let scalarType: ScalarType
  let blocks: [VectorBlock]
  let onFailure: FailurePolicy

  package init(
    solver: any LinearSolver, tolerance: Double, scalarType: ScalarType,
    blocks: [VectorBlock], onFailure: FailurePolicy
  ) {
    self.solver = solver
    self.tolerance = tolerance
    self.scalarType = scalarType
    self.blocks = blocks
    self.onFailure = onFailure
  }

  /// Whether the tolerance is the layer's choice: then working precision is enough.
  var isMatched: Bool { solver.tolerance == nil }

  func judge(_ status: SolverStatus) throws(SolverError) {
    if status.isConverged || (isMatched && status.isAtWorkingPrecision(scalarType)) { return }
    if onFailure == .throw || status.isRefusal { throw .unsolved(status, of: .adjoint) }
  }
}
