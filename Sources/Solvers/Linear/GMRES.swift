import Autodiff

/// The generalised minimal residual method for A x = b with any regular A, restarted.
///
/// x minimises ‖b − A x‖ over the Krylov space, so the residual never grows; after `restart`
/// iterations the space is dropped and built anew from the residual. Iteration j of a cycle costs
/// one product and 2 j passes over vectors (twice that where orthogonality needs a second pass), and
/// the memory is `restart` vectors. Without a restart in between, n iterations solve the system; with
/// one too early the method may stagnate, which is reported as `stalled`: raise `restart`.
///
/// Use it for the Jacobian of a root or of a fixed point. Saad and Schultz, GMRES: a generalized
/// minimal residual algorithm for solving nonsymmetric linear systems (1986); the second pass follows
/// Daniel, Gragg, Kaufman and Stewart (1976).
public struct GMRES: KrylovSolver {
  public let options: KrylovOptions
  /// The most vectors of a Krylov space.
  public let restart: Int

  /// Iterations that keep all directions of a cycle, for any matrix.
  ///
  /// - Parameters:
  ///   - tolerance: The relative residual; nil is what the system asks for.
  ///   - maximumIterations: At least 1; nil is 10 n.
  ///   - restart: The iterations of a cycle, at least 1.
  public init(tolerance: Double? = nil, maximumIterations: Int? = nil, restart: Int = 100) {
    options = KrylovOptions(
      tolerance: tolerance, maximumIterations: maximumIterations, for: "GMRES")
    guard restart >= 1 else { stop("GMRES", "restart must be at least 1, found \(restart)") }
    self.restart = restart
  }

  public func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    try LinearIteration.solve(system, options, "GMRES", cycle: cycle)
  }

  /// Arnoldi vectors with A V = V H, and the QR factorisation of the Hessenberg H by rotations.
  private func cycle(
    _ run: inout LinearIteration
  ) throws(SolverError) -> LinearIteration.CycleEnd {
    var basis = [combination(1 / run.residualNorm, run.residual, 0, run.residual)]
    var triangle: [[Double]] = []
    var rotations: [(cosine: Double, sine: Double)] = []
    // Qᵀ of the right-hand side ‖r‖ e₁; what is left of it is the residual norm.
    var rightHandSide = [run.residualNorm]
    var end = LinearIteration.CycleEnd.restart
    for iteration in 0..<restart {
      let w = try run.product(basis[iteration])
      let size = norm(w)
      var (next, column) = orthogonalized(w, size, against: basis)
      let rest = norm(next)
      for (index, rotation) in rotations.enumerated() {
        let (upper, lower) = (column[index], column[index + 1])
        column[index] = rotation.cosine * upper + rotation.sine * lower
        column[index + 1] = rotation.cosine * lower - rotation.sine * upper
      }
      let pivot = (column[iteration] * column[iteration] + rest * rest).squareRoot()
      guard pivot.isFinite else {
        end = .failure(.notFinite)
        break
      }
      // A v lies in A of the space before: A is singular, and this column of no use.
      guard pivot > run.epsilon * size else {
        end = run.note(abs(rightHandSide[iteration])) ?? .claim
        break
      }
      let rotation = (cosine: column[iteration] / pivot, sine: rest / pivot)
      column[iteration] = pivot
      triangle.append(column)
      rotations.append(rotation)
      rightHandSide.append(-rotation.sine * rightHandSide[iteration])
      rightHandSide[iteration] *= rotation.cosine
      if let reason = run.note(abs(rightHandSide[iteration + 1])) {
        end = reason
        break
      }
      // The space is invariant: it holds the solution as well as it ever will.
      if rest <= run.epsilon * size {
        end = .claim
        break
      }
      next = combination(1 / rest, next, 0, next)
      basis.append(next)
    }
    offer(&run, basis, triangle, rightHandSide)
    return end
  }

  /// w minus its parts along the basis, and these, with room for one more.
  private func orthogonalized(
    _ w: Tensor, _ size: Double, against basis: [Tensor]
  ) -> (rest: Tensor, parts: [Double]) {
    var rest = w
    var parts = [Double](repeating: 0, count: basis.count + 1)
    // One pass of modified Gram-Schmidt leaves an error of ulp · ‖w‖, which matters where little of
    // w is left; a second pass is then enough.
    var before = size
    for _ in 0..<2 {
      for (index, vector) in basis.enumerated() {
        let part = inner(vector, rest)
        parts[index] += part
        rest = combination(1, rest, -part, vector)
      }
      let after = norm(rest)
      if after > 0.7 * before { break }
      before = after
    }
    return (rest, parts)
  }

  /// The iterate of the space, by back substitution.
  private func offer(
    _ run: inout LinearIteration, _ basis: [Tensor], _ triangle: [[Double]],
    _ rightHandSide: [Double]
  ) {
    let count = triangle.count
    guard count > 0 else { return }
    var weights = Array(rightHandSide.prefix(count))
    for row in stride(from: count - 1, through: 0, by: -1) {
      for column in row + 1..<max(count, row + 1) {
        weights[row] -= triangle[column][row] * weights[column]
      }
      weights[row] /= triangle[row][row]
    }
    var x = run.x
    for (weight, vector) in zip(weights, basis) { x = combination(1, x, weight, vector) }
    run.offer(x, abs(rightHandSide[count]))
  }
}
