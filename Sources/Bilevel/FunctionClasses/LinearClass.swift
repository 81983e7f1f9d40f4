import Autodiff
import Neural

/// Functions that are linear in their weights: x ↦ φ(x)ᵀ W with fixed features φ and a penalty
/// λ ‖W‖².
///
/// Polynomials, cells of a table, random Fourier features and kernels all have this form; see the
/// factories. In such a class inner problem and adjoint have closed forms (one Newton step where the
/// loss is quadratic), and derivatives of the solution are exact to every order.
///
/// Linearly dependent features are allowed: without a penalty the weights are not unique then, but
/// the function is, and directions in which the features of the inner sample do not vary to rounding
/// are left out.
public struct LinearClass: Sendable {
  /// A word for it, for records.
  public let name: String
  /// λ ≥ 0.
  public var ridge: Double { penalty.ridge }
  package private(set) var penalty: RidgePenalty
  private let map: @Sendable (Tensor) -> Tensor

  /// A class of functions.
  ///
  /// - Parameters:
  ///   - name: A word for it.
  ///   - ridge: λ of the penalty λ ‖W‖² beside the mean loss.
  ///   - hasIntercept: Whether a constant feature is appended, as the last one.
  ///   - penalizesIntercept: Whether λ counts its weight too.
  ///   - features: φ, from [n, p] to [n, m], made of tensor operations.
  public init(
    name: String = "fixed features", ridge: Double, hasIntercept: Bool = false,
    penalizesIntercept: Bool = true,
    features: @escaping @Sendable (Tensor) -> Tensor
  ) {
    guard ridge >= 0, ridge.isFinite else {
      stop("LinearClass", "the ridge must be a non-negative number, found \(ridge)")
    }
    self.name = name
    penalty = RidgePenalty(
      ridge: ridge, sparesIntercept: hasIntercept && !penalizesIntercept)
    map = { x in
      let phi = features(x)
      guard phi.rank == 2, phi.shape[0] == x.shape[0], phi.shape[1] > 0 || hasIntercept else {
        stop(
          "LinearClass",
          "\(name): inputs \(x.shape) have features \(phi.shape), expected [\(x.shape[0]), m]")
      }
      return hasIntercept ? phi.withIntercept : phi
    }
  }

  /// The same functions with another penalty.
  package func with(ridge: Double) -> LinearClass { with(RidgePenalty(ridge: ridge)) }

  /// The same features with the size of another penalty.
  package func with(_ other: RidgePenalty) -> LinearClass {
    var result = self
    result.penalty = RidgePenalty(ridge: other.ridge, sparesIntercept: penalty.sparesIntercept)
    return result
  }

  /// φ(x), [n, m].
  public func features(_ x: Tensor) -> Tensor { map(x) }

  /// Every function on finitely many points: one cell for each, an index in the only input column.
  ///
  /// - Parameter count: The number of points; inputs are 0, …, count − 1.
  public static func tabular(count: Int, ridge: Double = 0) -> LinearClass {
    LinearClass(name: "table of \(count) cells", ridge: ridge) { x in
      let cells = stopGradient(x)
      guard x.shape[1] == 1, cells.min().scalar >= 0, cells.max().scalar <= Double(count - 1),
        (round(cells) - cells).normInfinity().scalar == 0
      else {
        stop(
          "LinearClass.tabular",
          "expected one column of whole numbers from 0 to \(count - 1), found shape \(x.shape)")
      }
      return (cells .== Tensor.range(count, x.scalarType).expandingShape(at: 0))
        .cast(to: x.scalarType)
    }
  }

  /// The features of a network that is not trained here, and a constant.
  public static func network(_ features: some Layer, ridge: Double) -> LinearClass {
    LinearClass(name: "network features", ridge: ridge, hasIntercept: true) { features($0) }
  }

  /// Random Fourier features of the Gaussian kernel exp(−‖x − x′‖² / (2 s²)):
  /// φ(x) = √(2/m) cos(xᵀΩ / s + b) with normal Ω and uniform b.
  ///
  /// Rahimi and Recht, Random features for large-scale kernel machines (2007).
  ///
  /// - Parameters:
  ///   - inputSize: p, the number of input columns.
  ///   - count: m, the number of features.
  ///   - lengthScale: s.
  ///   - generator: Draws Ω, then b.
  public static func randomFourier(
    inputSize: Int, count: Int, lengthScale: Double, ridge: Double,
    scalarType: ScalarType = .float64, using generator: inout PhiloxGenerator
  ) -> LinearClass {
    guard inputSize > 0, count > 0, lengthScale > 0 else {
      stop(
        "LinearClass.randomFourier",
        """
        sizes and length scale must be positive, found \(inputSize) inputs, \(count) features and \
        \(lengthScale)
        """)
    }
    let frequencies =
      Tensor.normal([inputSize, count], scalarType, using: &generator) / lengthScale
    let phases = Tensor.uniform([count], from: 0, to: 2 * .pi, scalarType, using: &generator)
    let scale = (2 / Double(count)).squareRoot()
    return LinearClass(name: "\(count) random Fourier features", ridge: ridge) { x in
      scale * cos(matmul(x, frequencies) + phases)
    }
  }
}
