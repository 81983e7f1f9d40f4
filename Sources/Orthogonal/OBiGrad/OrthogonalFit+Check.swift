import Autodiff
import Inference
import Solvers

/// How the mean score moves when a nuisance does: its Gateaux derivative in one direction, which is
/// zero in expectation at the true nuisances.
///
/// On a sample it is a mean with a standard error. Far from zero, the first-order condition that
/// defines another nuisance does not hold on held-out rows: that one is badly fitted.
public struct NuisanceSensitivity: Sendable {
  /// Which nuisance is moved: h, J, a or b.
  public let nuisance: String
  /// The derivative of vᵀ mean φ per unit of the nuisance's root mean square shift.
  public let derivative: Double
  /// Its standard error.
  public let standardError: Double
  /// The standard deviation of vᵀφᵢ, which the derivative is to be compared with.
  public let scoreDeviation: Double

  /// derivative / standardError.
  public var zStatistic: Double { derivative / standardError }
}

extension OrthogonalFit {
  /// Numerical Gateaux derivatives of the mean score vᵀφ in random smooth directions of every
  /// nuisance, by differentiating once more in the size of the shift.
  ///
  /// - Parameters:
  ///   - outer: ω.
  ///   - direction: v, like ω.
  ///   - directionCount: How many functions of x each nuisance is moved along.
  ///   - seed: Of these functions, which are cosines of random projections of the scaled inputs.
  public func sensitivities(
    at outer: Outer, along direction: Outer, directionCount: Int = 3, seed: UInt64 = 0
  ) throws(SolverError) -> [NuisanceSensitivity] {
    let layout = FlatLayout(of: outer, "OrthogonalFit.sensitivities")
    requireConstant(outer, "OrthogonalFit.sensitivities")
    let point = layout.vector(outer, "OrthogonalFit.sensitivities", "point")
    let v = stopGradient(layout.vector(direction, "OrthogonalFit.sensitivities", "direction"))
    let scale = try derivatives(at: outer, layout, along: [v], names: ["v"])
      .influence.reduce(0.0) { $0 + square($1.rows).mean().scalar }.squareRoot()
    let generator = PhiloxGenerator(seed: seed)
    var result: [NuisanceSensitivity] = []
    for (index, nuisance) in NuisanceShift.allCases.enumerated() {
      for repetition in 0..<directionCount {
        let own = generator.split(key: UInt64(index * directionCount + repetition))
        let estimate = try sensitivity(of: nuisance, point, v, layout, own)
        result.append(
          NuisanceSensitivity(
            nuisance: nuisance.rawValue, derivative: estimate.value[0].scalar,
            standardError: estimate.standardErrors[0].scalar, scoreDeviation: scale))
      }
    }
    return result
  }

  /// d/dt d/ds of the debiased rows at ω + s v with a nuisance shifted by t δ(x), or by t s δ(x)
  /// where the shift is one of a Jacobian.
  private func sensitivity(
    of nuisance: NuisanceShift, _ point: Tensor, _ v: Tensor, _ layout: FlatLayout<Outer>,
    _ generator: PhiloxGenerator
  ) throws(SolverError) -> Estimate {
    try Estimate.aggregated(splits) { split throws(SolverError) in
      let (outerRows, innerRows) = try split.assembled { fold throws(SolverError) in
        let function = RandomFunction(
          outputCount: fold.rows.outputCount, like: fold.rows.inputs.inner, generator)
        let zero = Tensor(0)
        let rates = try jvp(at: zero, along: Tensor(1)) { t throws(SolverError) in
          try jvp(at: zero, along: Tensor(1)) { s throws(SolverError) -> [Tensor] in
            let size = nuisance.isJacobian ? t * s : t
            let shift: DebiasedRows<Outer>.Shift = nuisance.shift(
              fold.rows.inputs, size, function)
            let values = try fold.rows.values(layout.tree(point + s * v), shift)
            return [values.outer] + (values.inner.map { [$0] } ?? [])
          }.tangent
        }.tangent
        let columns = rates.map { $0.expandingShape(at: 1) }
        return (columns[0], columns.count > 1 ? columns[1] : nil)
      }
      return try estimate(["derivative"], outerRows, innerRows)
    }
  }
}

/// A nuisance that is moved.
private enum NuisanceShift: String, CaseIterable {
  case prediction = "h"
  case predictionJacobian = "J"
  case adjoint = "a"
  case adjointJacobian = "b"

  var isJacobian: Bool { self == .predictionJacobian || self == .adjointJacobian }

  func shift<Outer>(
    _ inputs: (inner: Tensor, outer: Tensor), _ size: Tensor, _ function: RandomFunction
  ) -> DebiasedRows<Outer>.Shift {
    let (inner, outer) = (function(inputs.inner), function(inputs.outer))
    switch self {
    case .prediction, .predictionJacobian:
      return .init(
        innerPrediction: size * inner, outerPrediction: size * outer, adjoint: 0 * inner)
    case .adjoint, .adjointJacobian:
      return .init(innerPrediction: 0 * inner, outerPrediction: 0 * outer, adjoint: size * inner)
    }
  }
}

/// x ↦ √2 cos(Ωᵀ x / s + b), of root mean square about one.
private struct RandomFunction {
  let frequencies: Tensor
  let phases: Tensor

  init(outputCount: Int, like inputs: Tensor, _ generator: PhiloxGenerator) {
    var generator = generator
    let width = inputs.shape[1]
    let scale = inputs.columnDeviations.expandingShape(at: 1)
    frequencies = Tensor.normal([width, outputCount], using: &generator) / scale
    phases = Tensor.uniform([outputCount], from: 0, to: 2 * .pi, using: &generator)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    2.0.squareRoot() * cos(matmul(x, frequencies) + phases)
  }
}
