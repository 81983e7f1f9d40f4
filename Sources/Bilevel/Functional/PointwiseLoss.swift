import Autodiff
import Solvers

/// ℓ(ω, v, x, y) of a functional problem with the derivatives that functional implicit
/// differentiation needs: all of them in the output v, none in the parameters of a network.
package struct PointwiseLoss<Outer: TensorTree, Labels: TensorTree>: Sendable {
  package typealias Function =
    @Sendable (_ outer: Outer, _ v: Tensor, _ x: Tensor, _ y: Labels) throws -> Tensor

  package let function: Function

  package init(_ function: @escaping Function) { self.function = function }

  /// ℓ of every row, [n].
  package func values(
    _ outer: Outer, _ v: Tensor, _ sample: FunctionalSample<Labels>
  ) throws(SolverError) -> Tensor {
    let values = try calling { try function(outer, v, sample.inputs, sample.labels) }
    guard values.shape == [sample.count], values.scalarType == v.scalarType else {
      stop(
        "FuncID",
        """
        the inner loss returned \(values.shape) \(values.scalarType), expected one \(v.scalarType) \
        value per row, [\(sample.count)]; sum over the outputs (alongAxis: 1), not over the rows
        """)
    }
    return values
  }

  /// L(ω, h) = Σᵢ wᵢ ℓᵢ.
  package func mean(
    _ outer: Outer, _ v: Tensor, _ sample: FunctionalSample<Labels>
  ) throws(SolverError) -> Tensor {
    sample.mean(try values(outer, v, sample))
  }

  /// The gradient of L in the outputs, wᵢ ∂ᵥℓᵢ, [n, d].
  package func slope(
    _ outer: Outer, _ v: Tensor, _ sample: FunctionalSample<Labels>
  ) throws(SolverError) -> Tensor {
    try gradient(at: v) { v throws(SolverError) in try mean(outer, v, sample) }
  }

  /// Cᵢ uᵢ with Cᵢ = ∂²ᵥℓᵢ, [n, d], at constants.
  ///
  /// - Parameter factors: [n], by which every row's loss is multiplied, and its product divided: a
  ///   loss that stands in another row than its output gives another product then.
  package func curvatureProduct(
    _ outer: Outer, _ v: Tensor, _ sample: FunctionalSample<Labels>, along u: Tensor,
    factors: Tensor? = nil
  ) throws(SolverError) -> Tensor {
    let product = try hvp(at: v, along: u) { v throws(SolverError) in
      let values = try values(outer, v, sample)
      return factors.map { dot($0, values) } ?? values.sum()
    }
    return factors.map { product / $0.expandingShape(at: 1) } ?? product
  }
}
