import Autodiff

/// The curvature of a regularised functional problem in the weights of a linear class, factorised.
///
///     G vec(W) = Σᵢ wᵢ (φᵢ φᵢᵀ) W Cᵢ + 2 λ W
///
/// for W, [m, d], in the smallest systems that the form of C allows. In float64 whatever the data:
/// the condition number of G is the square of that of the features.
package struct NormalEquations {
  private enum Factor {
    /// One matrix for every output: [m, m].
    case shared(Tensor)
    /// One matrix for each output: [d, m, m].
    case perOutput(Tensor)
    /// One matrix for all: [m d, m d], rows in the order of W.
    case joint(Tensor)
  }

  private let matrix: Factor
  private let factor: Factor
  private let scalarType: ScalarType
  private let width: Int

  /// - Parameters:
  ///   - features: φ, [n, m], constant.
  ///   - sample: The weights w.
  /// - Throws: Where G is not positive definite.
  package init<Labels>(
    features: Tensor, sample: FunctionalSample<Labels>, curvature: OutputCurvature,
    outputCount: Int, penalty: RidgePenalty
  ) throws(LinearAlgebraError) {
    scalarType = features.scalarType
    width = outputCount
    let phi = features.cast(to: .float64)
    let weights = sample.weights?.cast(to: .float64)
    let added = penalty.matrix(phi.shape[1])
    /// Σᵢ wᵢ cᵢ φᵢ φᵢᵀ.
    func gram(_ c: Tensor?) -> Tensor {
      var scale = weights
      if let c { scale = scale.map { $0 * c } ?? c * (1 / Double(sample.count)) }
      guard let scale else {
        return matmul(phi, phi, transposeA: true) * (1 / Double(sample.count))
      }
      return matmul(phi, phi * scale.expandingShape(at: 1), transposeA: true)
    }
    switch curvature {
    case .isotropic(let c): matrix = .shared(c * gram(nil) + added)
    case .scaled(let c): matrix = .shared(gram(c.cast(to: .float64)) + added)
    case .diagonal(let c):
      let c = c.cast(to: .float64)
      matrix = .perOutput(
        Tensor.stacked((0..<outputCount).map { gram(c[0..., $0]) + added }, alongAxis: 0))
    case .full(let c):
      let c = c.cast(to: .float64)
      let rows = (0..<outputCount).map { k in
        // [m, 1, m, d]: the block row of output k.
        Tensor.stacked((0..<outputCount).map { gram(c[0..., k, $0]) }, alongAxis: 2)
          .expandingShape(at: 1)
      }
      let size = phi.shape[1] * outputCount
      let blocks = Tensor.concatenated(rows, alongAxis: 1).reshaped(to: [size, size])
      matrix = .joint(blocks + penalty.matrix(phi.shape[1], width: outputCount))
    }
    switch matrix {
    case .shared(let a): factor = .shared(try cholesky(a))
    case .perOutput(let a): factor = .perOutput(try cholesky(a))
    case .joint(let a): factor = .joint(try cholesky(a))
    }
  }

  /// W with G W = B, [m, d].
  package func solve(_ b: Tensor) throws(LinearAlgebraError) -> Tensor {
    let b = b.cast(to: .float64)
    let w: Tensor
    switch factor {
    case .shared(let l): w = try Self.solve(l, b)
    case .perOutput(let l):
      // A batch of systems with one column each.
      let columns = b.transposed().expandingShape(at: 2)
      w = try Self.solve(l, columns).squeezingShape(at: 2).transposed()
    case .joint(let l):
      w = try Self.solve(l, b.reshaped(to: [b.elementCount, 1])).reshaped(to: b.shape)
    }
    return w.cast(to: scalarType)
  }

  /// G W.
  func product(_ w: Tensor) -> Tensor {
    let w = w.cast(to: .float64)
    let b: Tensor
    switch matrix {
    case .shared(let a): b = matmul(a, w)
    case .perOutput(let a):
      b = matmul(a, w.transposed().expandingShape(at: 2)).squeezingShape(at: 2).transposed()
    case .joint(let a):
      b = matmul(a, w.reshaped(to: [w.elementCount, 1])).reshaped(to: w.shape)
    }
    return b.cast(to: scalarType)
  }

  /// √(tr(Bᵀ G⁻¹ B)): the size of a linear functional of the class in the norm that the problem
  /// itself gives it, whatever the coordinates.
  func dualNorm(_ b: Tensor) throws(LinearAlgebraError) -> Double {
    (b.cast(to: .float64) * (try solve(b)).cast(to: .float64)).sum().scalar
      .magnitude.squareRoot()
  }

  private static func solve(_ l: Tensor, _ b: Tensor) throws(LinearAlgebraError) -> Tensor {
    try triangularSolve(l, try triangularSolve(l, b), transposed: true)
  }
}
