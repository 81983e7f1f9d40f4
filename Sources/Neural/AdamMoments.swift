import Autodiff
import TensorFiles

/// Decaying averages of a gradient and of its square: the state of `Adam`.
///
/// Leaves: `first.0`, …, `second.0`, …, one pair per leaf of the model.
public struct AdamMoments: TensorTree, Sendable {
  /// How many steps were taken.
  public var stepCount = 0
  /// m, the average of the gradient; empty before the first step.
  public var first: [Tensor] = []
  /// v, the average of its square.
  public var second: [Tensor] = []

  /// Creates the state before the first step.
  public init() {}

  /// Counts a step.
  mutating func beginStep(_ parameters: Parameters) {
    if first.isEmpty { (first, second) = (parameters.zeros, parameters.zeros) }
    stepCount += 1
  }

  /// Adds a leaf's gradient g and returns the direction m̂ / (√v̂ + ε).
  ///
  ///     m ← β₁ m + (1 − β₁) g      m̂ = m / (1 − β₁ᵗ)
  ///     v ← β₂ v + (1 − β₂) g²     v̂ = v / (1 − β₂ᵗ)
  mutating func add(_ g: Tensor, at index: Int, _ decay: Adam) -> Tensor {
    let m = decay.beta1 * first[index] + (1 - decay.beta1) * g
    let v = decay.beta2 * second[index] + (1 - decay.beta2) * square(g)
    first[index] = m
    second[index] = v
    // The corrections are numbers in Double: they move out of the tensors' arithmetic.
    let firstCorrection = 1 - decay.beta1.power(stepCount)
    let root = (1 - decay.beta2.power(stepCount)).squareRoot()
    return (root / firstCorrection) * (m / (Self.squareRoot(v) + decay.epsilon * root))
  }
}

extension AdamMoments {
  /// √v, with derivative 0 where v is 0: there m is 0 too, and the step does not depend on v.
  fileprivate static func squareRoot(_ v: Tensor) -> Tensor {
    guard v.isTraced else { return sqrt(v) }
    return sqrt(select(v .== 0, Tensor.ones(like: v), v)).zeroed(where: v .== 0)
  }
}

extension AdamMoments: Checkpointable {
  /// Visits the step count and both averages, which must be of the same tensors.
  public mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&stepCount, "stepCount")
    visitor.visit(growing: &first, "first")
    visitor.visit(growing: &second, "second")
    visitor.require(stepCount >= 0, "a count of steps cannot be \(stepCount)")
    visitor.require(
      first.count == second.count
        && zip(first, second).allSatisfy {
          $0.shape == $1.shape && $0.scalarType == $1.scalarType
        }, "the averages of the gradient and of its square are not of the same tensors")
  }
}

extension Double {
  /// xⁿ by repeated squaring, n ≥ 0.
  fileprivate func power(_ exponent: Int) -> Double {
    var (result, base, rest) = (1.0, self, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= base }
      base *= base
      rest >>= 1
    }
    return result
  }
}
