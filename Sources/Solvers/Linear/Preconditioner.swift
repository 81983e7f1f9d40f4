import Autodiff

/// An approximation P⁻¹ of the inverse of a symmetric positive definite matrix, for the conjugate
/// gradient method.
///
/// P must be symmetric positive definite and the same in every call for one operator; what it takes
/// to prepare belongs in the operator's `prepared(_:_:)`.
public protocol Preconditioner: Sendable {
  /// P⁻¹ v.
  func apply(_ v: Tensor, for a: LinearOperator) throws(SolverError) -> Tensor
}

/// No preconditioning: P = I.
///
/// For code that takes a preconditioner; `ConjugateGradient` without one does the same.
public struct IdentityPreconditioner: Preconditioner {
  /// No preconditioning.
  public init() {}

  /// v.
  public func apply(_ v: Tensor, for a: LinearOperator) -> Tensor { v }
}

/// Jacobi's preconditioner: P = |diag A|.
///
/// Use it where the variables have different scales. The diagonal of an operator is given, or
/// estimated from products by Bekas, Kokiopoulou and Saad, An estimator for the diagonal of a matrix
/// (2007): the mean of z ∘ A z over random signs z. With as many products as A has rows it is exact;
/// with few it is good where A is dominated by its diagonal, and can do harm elsewhere. Each
/// application costs one pass over the vector.
public struct JacobiPreconditioner: Preconditioner {
  private enum Source: Sendable {
    case given(Tensor)
    case estimated(products: Int, seed: UInt64)
  }

  private let source: Source

  /// A diagonal that is known.
  ///
  /// - Precondition: All elements are positive and finite.
  public init(diagonal: Tensor) {
    let elements = stopGradient(diagonal)
    guard diagonal.rank == 1, elements.scalars.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      stop(
        "JacobiPreconditioner",
        "the diagonal must be a vector of positive finite elements, found shape \(diagonal.shape)")
    }
    source = .given(reciprocal(elements))
  }

  /// A diagonal estimated from products with the operator, once for each operator.
  ///
  /// - Parameters:
  ///   - products: How many; the relative error of the estimate falls as its square root.
  ///   - seed: Of the random signs.
  public init(products: Int, seed: UInt64 = 0) {
    guard products >= 1 else {
      stop("JacobiPreconditioner", "products must be at least 1, found \(products)")
    }
    source = .estimated(products: products, seed: seed)
  }

  /// v / |diag A|.
  public func apply(_ v: Tensor, for a: LinearOperator) throws(SolverError) -> Tensor {
    switch source {
    case .given(let inverse):
      guard inverse.shape == v.shape else {
        stop(
          "JacobiPreconditioner",
          "the diagonal has shape \(inverse.shape), the operator takes \(v.shape)")
      }
      return v * inverse
    case .estimated(let products, let seed):
      let key = PreparationKey<Tensor>(
        "JacobiPreconditioner", Double(products), Double(bitPattern: seed))
      return v
        * (try a.prepared(key) { () throws(SolverError) in
          try inverseDiagonal(of: a, products, seed)
        })
    }
  }

  private func inverseDiagonal(
    of a: LinearOperator, _ products: Int, _ seed: UInt64
  ) throws(SolverError) -> Tensor {
    // An element that vanished, or was estimated as nearly so, must not dominate.
    let magnitudes = abs(try a.diagonal(products: products, seed: seed))
    let floor = magnitudes.max().scalar * a.scalarType.ulpOfOne.squareRoot()
    return floor > 0 ? reciprocal(maximum(magnitudes, floor)) : .ones(like: magnitudes)
  }
}
