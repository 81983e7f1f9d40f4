import Autodiff

/// Penalised least squares in a linear class: the one place where its matrix is made and factorised.
///
///     W* = argmin Σᵢ wᵢ ½ (φᵢᵀ W − yᵢ) Cᵢ (φᵢᵀ W − yᵢ)ᵀ + λ ‖W‖²,   Σᵢ wᵢ = 1
///     G vec(W*) = Σᵢ wᵢ φᵢ yᵢ Cᵢ,   G vec(W) = Σᵢ wᵢ (φᵢ φᵢᵀ) W Cᵢ + 2 λ W
///
/// for W, [m, d], in the smallest systems that the form of C allows. In float64 whatever the data:
/// the condition number of G is the square of that of the features. For any pointwise loss with second
/// derivatives C, G is the curvature in the weights. Other conventions for the penalty are converted by
/// `RidgePenalty`, and nowhere else.
package struct PenalizedLeastSquares {
  private enum Form {
    /// One matrix for every output: [m, m].
    case shared
    /// One matrix for each output: [d, m, m].
    case perOutput
    /// One matrix for all: [m d, m d], rows in the order of W.
    case joint
  }

  private let form: Form
  private let matrix: Tensor
  private let factor: Tensor
  private let scalarType: ScalarType

  /// - Parameters:
  ///   - features: φ, [n, m], constant.
  ///   - weights: w, [n], of sum 1; nil for 1/n each.
  ///   - curvature: C.
  ///   - outputCount: d; of no account where C is a multiple of the identity.
  /// - Throws: Where G is not positive definite.
  package init(
    features: Tensor, weights: Tensor?, curvature: OutputCurvature = .isotropic(1),
    outputCount: Int = 1, penalty: RidgePenalty
  ) throws(LinearAlgebraError) {
    scalarType = features.scalarType
    let phi = features.cast(to: .float64)
    let weights = weights?.cast(to: .float64)
    let (count, size) = (Double(phi.shape[0]), phi.shape[1])
    let added = penalty.matrix(size)
    func gram(_ c: Tensor) -> Tensor {
      Self.gram(phi, weights.map { $0 * c } ?? c * (1 / count))
    }
    switch curvature {
    case .isotropic(let c): (form, matrix) = (.shared, c * Self.gram(phi, weights) + added)
    case .scaled(let c): (form, matrix) = (.shared, gram(c.cast(to: .float64)) + added)
    case .diagonal(let c):
      let c = c.cast(to: .float64)
      form = .perOutput
      matrix = .stacked((0..<outputCount).map { gram(c[0..., $0]) + added }, alongAxis: 0)
    case .full(let c):
      let c = c.cast(to: .float64)
      let rows = (0..<outputCount).map { k in
        // [m, 1, m, d]: the block row of output k.
        Tensor.stacked((0..<outputCount).map { gram(c[0..., k, $0]) }, alongAxis: 2)
          .expandingShape(at: 1)
      }
      let blocks = Tensor.concatenated(rows, alongAxis: 1)
        .reshaped(to: [size * outputCount, size * outputCount])
      (form, matrix) = (.joint, blocks + penalty.matrix(size, width: outputCount))
    }
    factor = try cholesky(matrix)
  }

  /// Σᵢ wᵢ φᵢ φᵢᵀ, [m, m]; nil for weights 1/n.
  package static func gram(_ features: Tensor, _ weights: Tensor?) -> Tensor {
    guard let weights else {
      return matmul(features, features, transposeA: true) * (1 / Double(features.shape[0]))
    }
    return matmul(features, features * weights.expandingShape(at: 1), transposeA: true)
  }

  /// W with G W = B, [m, d].
  package func solve(_ b: Tensor) throws(LinearAlgebraError) -> Tensor {
    let x = try triangularSolve(factor, columns(b))
    return restored(try triangularSolve(factor, x, transposed: true), b.shape)
  }

  /// G W.
  func product(_ w: Tensor) -> Tensor { restored(matmul(matrix, columns(w)), w.shape) }

  /// √(tr(Bᵀ G⁻¹ B)): the size of a linear functional of the class in the norm that the problem
  /// itself gives it, whatever the coordinates.
  func dualNorm(_ b: Tensor) throws(LinearAlgebraError) -> Double {
    (b.cast(to: .float64) * (try solve(b)).cast(to: .float64)).sum().scalar
      .magnitude.squareRoot()
  }

  /// H_ii = wᵢ φᵢᵀ G⁻¹ φᵢ for C = 1, [n]: how much of its own target a fitted value is.
  ///
  /// - Parameter weighted: wᵢ φᵢ, [n, m].
  package func leverages(
    _ features: Tensor, weighted: Tensor
  ) throws(LinearAlgebraError) -> Tensor {
    let inverse = try solve(.identity(features.shape[1], features.scalarType))
    return (matmul(features, inverse) * weighted).sum(alongAxis: 1)
  }

  /// B as right-hand sides of the systems.
  private func columns(_ b: Tensor) -> Tensor {
    let b = b.cast(to: .float64)
    switch form {
    case .shared: return b
    case .perOutput: return b.transposed().expandingShape(at: 2)
    case .joint: return b.reshaped(to: [b.elementCount, 1])
    }
  }

  private func restored(_ x: Tensor, _ shape: Shape) -> Tensor {
    switch form {
    case .shared: x.cast(to: scalarType)
    case .perOutput: x.squeezingShape(at: 2).transposed().cast(to: scalarType)
    case .joint: x.reshaped(to: shape).cast(to: scalarType)
    }
  }
}
