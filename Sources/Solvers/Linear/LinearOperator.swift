import Autodiff

/// A square matrix A known by its products: A v, and Aᵀ v where asked for.
///
/// A class, because what it costs to prepare is kept for the next solve with the same matrix: the
/// dense form and its factorisation serve any number of right-hand sides and the transpose.
public final class LinearOperator {
  /// A function from vectors to vectors.
  public typealias Product = (Tensor) throws(SolverError) -> Tensor

  /// The number of rows.
  public let size: Int
  /// The scalar type of the vectors.
  public let scalarType: ScalarType
  /// The named parts of the vectors.
  public let blocks: [VectorBlock]
  /// The number of products taken, of either kind.
  public private(set) var productCount = 0

  /// An estimate of 1 / ‖A⁻¹‖ by the certificate of the point that A belongs to; nil where A was formed
  /// or nobody asked.
  package var leastCurvature: Double?

  private let product: Product
  private let transposedProduct: Product
  private var denseForm: Tensor?
  private var prepared: [AnyHashable: Any] = [:]

  /// An operator that is known by its products alone.
  ///
  /// - Parameters:
  ///   - product: v ↦ A v, [size] to [size].
  ///   - transposedProduct: v ↦ Aᵀ v; pass `product` for a symmetric operator.
  public init(
    size: Int, scalarType: ScalarType, blocks: [VectorBlock]? = nil,
    product: @escaping Product, transposedProduct: @escaping Product
  ) {
    self.size = size
    self.scalarType = scalarType
    self.blocks = blocks ?? [VectorBlock(name: "", range: 0..<size)]
    self.product = product
    self.transposedProduct = transposedProduct
  }

  /// F′(x), traced once here; each product is one pass over the tape.
  package convenience init(
    linearizing f: Product, at x: Tensor, blocks: [VectorBlock]
  ) throws(SolverError) {
    let (_, differential, pullback) = try linearizeInBothDirections(at: x, of: f)
    self.init(
      size: x.elementCount, scalarType: x.scalarType, blocks: blocks,
      product: { v throws(SolverError) in try differential(v) },
      transposedProduct: { v throws(SolverError) in try pullback(v) })
  }

  /// A v, counted and checked for its size.
  public func callAsFunction(_ v: Tensor) throws(SolverError) -> Tensor {
    productCount += 1
    return checked(try product(v))
  }

  /// Aᵀ v.
  public func transposedProduct(_ v: Tensor) throws(SolverError) -> Tensor {
    productCount += 1
    return checked(try transposedProduct(v))
  }

  private func checked(_ result: Tensor) -> Tensor {
    guard result.shape == [size], result.scalarType == scalarType else {
      stop(
        "LinearOperator",
        """
        a product has shape \(result.shape) and type \(result.scalarType), expected [\(size)] and \
        \(scalarType)
        """)
    }
    return result
  }

  /// The matrix, [size, size], from `size` products; kept.
  public func dense() throws(SolverError) -> Tensor {
    if let denseForm { return denseForm }
    var columns: [Tensor] = []
    columns.reserveCapacity(size)
    for index in 0..<size {
      columns.append(try self(.basisVector(index, size, scalarType)))
    }
    let matrix = Tensor.stacked(columns, alongAxis: 1)
    denseForm = matrix
    return matrix
  }

  /// What was prepared for this matrix under a key before; nil where nothing was.
  func kept<Value>(_ key: PreparationKey<Value>) -> Value? {
    // In two steps: a missing entry would pass as the nil of an optional value.
    guard let kept = prepared[key] else { return nil }
    return kept as? Value
  }

  /// What a method prepared for this matrix under a key, such as a factorisation; made once.
  public func prepared<Value>(
    _ key: PreparationKey<Value>, _ prepare: () throws(SolverError) -> Value
  ) throws(SolverError) -> Value {
    if let kept = kept(key) { return kept }
    let preparation = try prepare()
    prepared[key] = preparation
    return preparation
  }
}

/// Under which a method keeps what it prepared for a matrix: who made it, and with which settings.
public struct PreparationKey<Value>: Hashable {
  private let method: String
  private let settings: [Double]

  /// A key for what a method prepares of a matrix.
  ///
  /// - Parameters:
  ///   - method: The method, as its type is called.
  ///   - settings: What the preparation depends on besides the matrix.
  public init(_ method: String, _ settings: Double...) {
    (self.method, self.settings) = (method, settings)
  }
}
