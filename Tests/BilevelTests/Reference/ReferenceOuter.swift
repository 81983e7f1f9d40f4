import Autodiff

/// An outer objective g(x, y) with its derivatives coded by hand.
///
/// `value` is also what a layer differentiates.
protocol ReferenceOuter: Sendable {
  /// g, a scalar.
  func value(_ x: Tensor, _ y: Tensor) -> Tensor
  /// g₁, [n].
  func g1(_ x: Tensor, _ y: Tensor) -> Tensor
  /// g₂, [m].
  func g2(_ x: Tensor, _ y: Tensor) -> Tensor
  /// g₁₁, [n, n].
  func g11(_ x: Tensor, _ y: Tensor) -> Tensor
  /// g₂₁, [m, n].
  func g21(_ x: Tensor, _ y: Tensor) -> Tensor
}

/// c · x + ‖y‖².
struct LinearOuter: ReferenceOuter {
  let c: Tensor

  init(_ inner: some ReferenceInner, seed: UInt64) {
    var generator = PhiloxGenerator(seed: seed)
    c = Tensor.normal([inner.n], using: &generator)
  }

  func value(_ x: Tensor, _ y: Tensor) -> Tensor { (c * x).sum() + (y * y).sum() }
  func g1(_ x: Tensor, _ y: Tensor) -> Tensor { c }
  func g2(_ x: Tensor, _ y: Tensor) -> Tensor { 2 * y }
  func g11(_ x: Tensor, _ y: Tensor) -> Tensor { zeros(x, x) }
  func g21(_ x: Tensor, _ y: Tensor) -> Tensor { zeros(y, x) }
}

/// ‖Q x − q‖² / 2.
struct QuadraticOuter: ReferenceOuter {
  let matrix: Tensor
  let target: Tensor

  init(_ inner: some ReferenceInner, seed: UInt64) {
    var generator = PhiloxGenerator(seed: seed)
    matrix = Tensor.normal([inner.n, inner.n], using: &generator)
    target = Tensor.normal([inner.n], using: &generator)
  }

  func value(_ x: Tensor, _ y: Tensor) -> Tensor { square(matmul(matrix, x) - target).sum() / 2 }
  func g1(_ x: Tensor, _ y: Tensor) -> Tensor {
    matmul(matrix, matmul(matrix, x) - target, transposeA: true)
  }
  func g2(_ x: Tensor, _ y: Tensor) -> Tensor { Tensor.zeros(like: y) }
  func g11(_ x: Tensor, _ y: Tensor) -> Tensor { matmul(matrix, matrix, transposeA: true) }
  func g21(_ x: Tensor, _ y: Tensor) -> Tensor { zeros(y, x) }
}

/// The mean logistic loss on other data.
struct LogisticOuter: ReferenceOuter {
  let a: Tensor
  let b: Tensor

  init(_ inner: some ReferenceInner, seed: UInt64) { (a, b) = classified(seed, 80, inner.n) }

  func value(_ x: Tensor, _ y: Tensor) -> Tensor { softplus(-b * matmul(a, x)).mean() }
  func g1(_ x: Tensor, _ y: Tensor) -> Tensor {
    -matmul(a, b * sigmoid(-b * matmul(a, x)), transposeA: true) / Double(b.elementCount)
  }
  func g2(_ x: Tensor, _ y: Tensor) -> Tensor { Tensor.zeros(like: y) }
  func g11(_ x: Tensor, _ y: Tensor) -> Tensor {
    let s = sigmoid(matmul(a, x))
    return weightedGram(a, s * (1 - s)) / Double(b.elementCount)
  }
  func g21(_ x: Tensor, _ y: Tensor) -> Tensor { zeros(y, x) }
}

/// The inner objective: the min–min case.
struct InnerAsOuter: ReferenceOuter {
  let inner: LogisticInner

  func value(_ x: Tensor, _ y: Tensor) -> Tensor { inner.objective(x, y) }
  func g1(_ x: Tensor, _ y: Tensor) -> Tensor { inner.f(x, y) }
  func g2(_ x: Tensor, _ y: Tensor) -> Tensor { exp(y) * x * x / (2 * Double(inner.n)) }
  func g11(_ x: Tensor, _ y: Tensor) -> Tensor { inner.f1(x, y) }
  func g21(_ x: Tensor, _ y: Tensor) -> Tensor { inner.f2(x, y).transposed() }
}

/// Σ cos x + x · (M y) + ‖y‖² / 2, where g₂₁ is not zero.
struct MixedOuter: ReferenceOuter {
  let matrix: Tensor

  init(_ inner: some ReferenceInner, seed: UInt64) {
    var generator = PhiloxGenerator(seed: seed)
    matrix = Tensor.normal([inner.n, inner.m], using: &generator)
  }

  func value(_ x: Tensor, _ y: Tensor) -> Tensor {
    cos(x).sum() + (x * matmul(matrix, y)).sum() + (y * y).sum() / 2
  }
  func g1(_ x: Tensor, _ y: Tensor) -> Tensor { matmul(matrix, y) - sin(x) }
  func g2(_ x: Tensor, _ y: Tensor) -> Tensor { matmul(matrix, x, transposeA: true) + y }
  func g11(_ x: Tensor, _ y: Tensor) -> Tensor { -cos(x).embeddedDiagonal() }
  func g21(_ x: Tensor, _ y: Tensor) -> Tensor { matrix.transposed() }
}

private func zeros(_ rows: Tensor, _ columns: Tensor) -> Tensor {
  Tensor.zeros([rows.elementCount, columns.elementCount])
}
