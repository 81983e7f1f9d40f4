import Autodiff
import HyperparameterProblems

/// A root problem that is not the gradient of any function: a transpose missing somewhere shows.
///
/// F(x, y) = B x + tanh(W x) / 2 + C y + x ∘ (E y) + k.
struct NonSymmetricRoot: InnerRoot {
  /// B [n, n], with 2 added on its diagonal.
  let linear: Tensor
  /// W [n, n].
  let saturating: Tensor
  /// C [n, m].
  let forcing: Tensor
  /// E [n, m].
  let scaling: Tensor
  /// k [n].
  let constant: Tensor

  /// Draws a problem with n inner and m outer variables: entries of B have standard deviation 0.3,
  /// of W 0.5, of C and k 1, of E 0.2.
  init(innerSize n: Int, outerSize m: Int, using generator: inout PhiloxGenerator) {
    linear =
      2 * Tensor.identity(n)
      + Tensor.normal([n, n], standardDeviation: 0.3, using: &generator)
    saturating = Tensor.normal([n, n], standardDeviation: 0.5, using: &generator)
    forcing = Tensor.normal([n, m], using: &generator)
    scaling = Tensor.normal([n, m], standardDeviation: 0.2, using: &generator)
    constant = Tensor.normal([n], using: &generator)
  }

  var innerSize: Int { forcing.shape[0] }
  var outerSize: Int { forcing.shape[1] }

  func residual(_ x: Tensor, _ y: Tensor) -> Tensor {
    let curved = 0.5 * tanh(matmul(saturating, x)) + x * matmul(scaling, y)
    return matmul(linear, x) + curved + matmul(forcing, y) + constant
  }

  func jacobian(_ x: Tensor, _ y: Tensor) -> Tensor {
    let slopes = 0.5 * (1 - square(tanh(matmul(saturating, x))))
    return linear + slopes.expandingShape(at: 1) * saturating
      + matmul(scaling, y).embeddedDiagonal()
  }

  func crossTransposedProduct(_ p: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor {
    matmul(forcing, p, transposeA: true) + matmul(scaling, x * p, transposeA: true)
  }

  func scale(_ x: Tensor, _ y: Tensor) -> Double {
    let products = matmul(abs(linear), abs(x)) + matmul(abs(forcing), abs(y))
    return (products + abs(x) * matmul(abs(scaling), abs(y)) + abs(constant) + 0.5).norm().scalar
  }
}
