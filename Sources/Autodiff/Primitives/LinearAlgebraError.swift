/// A numerical failure of a factorisation or solve.
public enum LinearAlgebraError: Error, Equatable, CustomStringConvertible {
  /// A matrix has a non-positive (or NaN) pivot in its Cholesky factorisation.
  case notPositiveDefinite(pivot: Int, matrix: Int)
  /// A matrix has an exactly zero pivot.
  case singular(pivot: Int, matrix: Int)
  /// The eigenvalue iteration did not converge, or the matrix is not finite.
  case notConverged(matrix: Int)
  /// A matrix has elements that are infinite or NaN.
  case notFinite(matrix: Int)
  /// The derivative of eigenvectors does not exist, or is not known in forward mode, because two
  /// eigenvalues are equal to rounding.
  case equalEigenvalues(first: Int, second: Int, matrix: Int)

  /// Which factorisation failed, where, and what to do.
  public var description: String {
    switch self {
    case .notPositiveDefinite(let pivot, let matrix):
      """
      matrix \(matrix) of the batch is not positive definite: pivot \(pivot) of its Cholesky \
      factorisation is not positive. Add a multiple of the identity, or check that the matrix is \
      symmetric and finite
      """
    case .singular(let pivot, let matrix):
      """
      matrix \(matrix) of the batch is singular: pivot \(pivot) is exactly zero. Remove linearly \
      dependent columns, or regularise
      """
    case .notConverged(let matrix):
      "the eigenvalues of matrix \(matrix) of the batch did not converge; is it finite?"
    case .notFinite(let matrix):
      "matrix \(matrix) of the batch has elements that are infinite or NaN"
    case .equalEigenvalues(let first, let second, let matrix):
      """
      eigenvalues \(first) and \(second) of matrix \(matrix) of the batch are equal to rounding, so \
      their eigenvectors are any basis of a space and have no derivative. In reverse mode functions \
      of the other vectors, or of the projector on the space, have one; where only eigenvalues are \
      needed, use symmetricEigenvalues(_:)
      """
    }
  }
}
