import Autodiff
import Bilevel
import Solvers

/// Features ψ(s, a) in which the action value is linear: Q(s, a) = ωᵀ ψ(s, a).
public struct StateActionFeatures: Sendable {
  /// A word for them, for summaries.
  public let name: String
  private let map: @Sendable (Tensor, Tensor) throws -> Tensor

  /// Features of one's own.
  ///
  /// - Parameters:
  ///   - name: A word for them.
  ///   - map: From states [n, p] and actions [n, a] to features [n, d], made of tensor operations.
  public init(
    name: String,
    _ map: @escaping @Sendable (_ states: Tensor, _ actions: Tensor) throws -> Tensor
  ) {
    self.name = name
    self.map = map
  }

  /// Features of state and action side by side, for actions that are continuous.
  ///
  /// - Parameter linearClass: Its features, on [n, p + a]; its penalty plays no part.
  public static func joint(_ linearClass: LinearClass) -> StateActionFeatures {
    StateActionFeatures(name: linearClass.name) { states, actions in
      linearClass.features(.concatenated([states, actions], alongAxis: 1))
    }
  }

  /// Features of the state for each action by itself, for actions in columns of zeros and ones:
  /// action a has the coefficients of its own block.
  ///
  /// - Parameter linearClass: Its features, on [n, p]; its penalty plays no part.
  public static func perAction(_ linearClass: LinearClass) -> StateActionFeatures {
    StateActionFeatures(name: "\(linearClass.name), for each action") { states, actions in
      let phi = linearClass.features(states)
      let blocks = actions.expandingShape(at: 2) * phi.expandingShape(at: 1)
      return blocks.reshaped(to: [phi.shape[0], actions.shape[1] * phi.shape[1]])
    }
  }

  /// A coefficient for each pair of finitely many states, numbered in one column, and actions, in
  /// columns of zeros and ones.
  public static func tabular(stateCount: Int) -> StateActionFeatures {
    perAction(.tabular(count: stateCount))
  }

  /// ψ at rows of states and actions, [n, d].
  ///
  /// - Throws: What the map throws, and errors for a result that is not [n, d] and finite.
  public func callAsFunction(_ states: Tensor, _ actions: Tensor) throws(SolverError) -> Tensor {
    let values = try calling { try map(states, actions) }
    guard values.rank == 2, values.shape[0] == states.shape[0], values.shape[1] > 0 else {
      throw .shape("features", values, "[\(states.shape[0]), features]")
    }
    try values.requireFiniteRows("features")
    return values
  }

  /// The same functions in features that are orthonormal on transitions: mean ψ̃ψ̃ᵀ = I.
  ///
  /// Bellman equations lose (1 − γ)² in condition by themselves; features that are nearly dependent,
  /// as powers of correlated states are, lose more and need not. Combinations whose mean square is
  /// below 10⁻⁹ of the largest are left out.
  public func orthonormalized(on transitions: Transitions) throws(SolverError)
    -> StateActionFeatures
  {
    let values = try self(transitions.states, transitions.actions)
    let (spectrum, vectors) = try calling {
      try leadingEigen(PenalizedLeastSquares.gram(values, nil), above: 1e-9)
    }
    let basis = vectors / sqrt(spectrum)
    let map = map
    return StateActionFeatures(name: "\(name), orthonormal") { states, actions in
      matmul(try map(states, actions), basis)
    }
  }

  /// The linear class of these features on X = (s, a), in which nuisances can be learned.
  ///
  /// - Parameter stateSize: p, the number of columns of X that are the state.
  public func linearClass(stateSize: Int, ridge: Double = 0) -> LinearClass {
    LinearClass(name: name, ridge: ridge) { x in
      let split = (
        x.slice(0..<stateSize, alongAxis: 1), x.slice(stateSize..<x.shape[1], alongAxis: 1)
      )
      do { return try map(split.0, split.1) } catch {
        stop("StateActionFeatures.linearClass", "the features threw: \(error)")
      }
    }
  }
}
