import Autodiff

/// A x = b, or Aᵀ x = b, with where to begin and how well to solve it.
public struct LinearSystem {
  /// A.
  public let matrix: LinearOperator
  /// b, [n], a constant.
  public let rightHandSide: Tensor
  /// Whether the system is Aᵀ x = b.
  public let isTransposed: Bool
  /// An x to begin with, [n]; nil is zero.
  public var guess: Tensor?
  /// The relative residual ‖b − A x‖ / ‖b‖ that is enough for whoever asks; a solver with a tolerance of
  /// its own keeps that.
  public var tolerance: Double

  /// A x = b, or Aᵀ x = b where it is transposed.
  ///
  /// - Precondition: The vectors have the size and scalar type of the matrix, and the tolerance is not
  ///   negative.
  public init(
    _ matrix: LinearOperator, _ rightHandSide: Tensor, isTransposed: Bool = false,
    guess: Tensor? = nil, tolerance: Double
  ) {
    for (role, vector) in [("right-hand side", rightHandSide), ("guess", guess ?? rightHandSide)] {
      guard vector.shape == [matrix.size], vector.scalarType == matrix.scalarType else {
        stop(
          "LinearSystem",
          """
          the \(role) is \(vector.shape) \(vector.scalarType), but the operator takes \
          [\(matrix.size)] \(matrix.scalarType)
          """)
      }
    }
    requireTolerance(tolerance, "LinearSystem")
    self.matrix = matrix
    self.rightHandSide = stopGradient(rightHandSide)
    self.isTransposed = isTransposed
    self.guess = guess.map { stopGradient($0) }
    self.tolerance = tolerance
  }

  /// A v, or Aᵀ v for a transposed system.
  public func product(_ v: Tensor) throws(SolverError) -> Tensor {
    isTransposed ? try matrix.transposedProduct(v) : try matrix(v)
  }

  /// Aᵀ v, or A v for a transposed system.
  public func adjointProduct(_ v: Tensor) throws(SolverError) -> Tensor {
    isTransposed ? try matrix(v) : try matrix.transposedProduct(v)
  }

  /// b − A x.
  public func residual(at x: Tensor) throws(SolverError) -> Tensor {
    combination(1, rightHandSide, -1, try product(x))
  }
}

/// Stops on a negative tolerance.
func requireTolerance(_ tolerance: Double?, _ method: String) {
  if let tolerance, !(tolerance >= 0) {
    stop(method, "the tolerance must not be negative, found \(tolerance)")
  }
}
