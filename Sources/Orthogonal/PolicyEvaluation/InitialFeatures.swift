import Autodiff
import Inference
import Solvers

/// Features of the policy at initial states, and how their mean varies with the sample.
struct InitialFeatures {
  /// E_π[ψ(s₀, a)], [m, d].
  private let rows: Tensor
  private let source: Source

  private enum Source {
    case exact
    case independent(SampleIdentity)
    /// Where in the transitions the rows come from.
    case logged(Transitions, rows: [Int])
  }

  init(
    _ initial: InitialStates, _ transitions: Transitions, _ policy: EvaluationPolicy,
    _ features: StateActionFeatures
  ) throws(SolverError) {
    let states: Tensor
    switch initial {
    case .known(let given): (states, source) = (given, .exact)
    case .sample(let given):
      (states, source) = (given, .independent(SampleIdentity(fingerprint: [given])))
    case .firstOfTrajectories:
      let first = try transitions.firstRows()
      states = transitions.states.gathering(Tensor(indices: first), alongAxis: 0)
      source = .logged(transitions, rows: first)
    }
    let width = transitions.states.shape[1]
    guard states.rank == 2, states.shape[1] == width else {
      throw .shape("initial states", states, "[initial states, \(width)]")
    }
    guard states.shape[0] > 0 else { throw .function(PolicyEvaluationError.noInitialStates) }
    try states.requireFiniteRows("initial states")
    rows = try policy.expectedFeatures(features, at: states.cast(to: .float64), .initial)
  }

  /// ψ̄₀, [d].
  var mean: Tensor { rows.mean(alongAxis: 0) }

  /// v̂ = mean ψ₀ᵀ ω̂: with ψ̄₀ the mean, the error is ψ̄₀ᵀ (ω̂ − ω) + mean (ψ₀ − E ψ₀)ᵀ ω.
  func value(_ coefficients: Estimate) throws(SolverError) -> Estimate {
    let mean = mean
    return try calling {
      let linear = try coefficients.mapped(by: mean.expandingShape(at: 0), names: ["value"])
      let deviations = matmul(rows - mean, coefficients.value.expandingShape(at: 1))
      let influence: InfluenceRows
      switch source {
      case .exact: return linear
      case .independent(let sample): influence = try InfluenceRows(deviations, sample: sample)
      case .logged(let transitions, let first):
        // A mean over trajectories as one over transitions: all of it in the first of each.
        let scale = Double(transitions.count) / Double(first.count)
        influence = try InfluenceRows(
          scale
            * deviations.scatterAdding(
              to: Tensor(indices: first), length: transitions.count, alongAxis: 0),
          sample: transitions.sample, clusters: transitions.trajectories)
      }
      return linear
        + (try Estimate(value: .zeros([1]), names: ["value"], influence: [influence]))
    }
  }
}
