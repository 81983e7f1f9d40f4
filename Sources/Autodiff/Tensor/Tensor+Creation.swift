import CTensorKernels

extension Tensor {
  /// A `float64` tensor from elements in row-major order; one axis unless a shape is given.
  public init(_ elements: [Double], shape: Shape? = nil) {
    self.init(copying: elements, shape: shape)
  }

  /// A `float32` tensor from elements in row-major order; one axis unless a shape is given.
  @_disfavoredOverload
  public init(_ elements: [Float], shape: Shape? = nil) {
    self.init(copying: elements, shape: shape)
  }

  /// An `int32` tensor of indices; one axis unless a shape is given.
  ///
  /// - Precondition: Every index fits 32 bits.
  public init(indices: [Int], shape: Shape? = nil) {
    self.init(
      copying: indices.map { index in
        guard let narrow = Int32(exactly: index) else {
          stop("Tensor(indices:)", "index \(index) does not fit 32 bits")
        }
        return narrow
      }, shape: shape)
  }

  /// A `bool` tensor; one axis unless a shape is given.
  public init(mask: [Bool], shape: Shape? = nil) {
    self.init(copying: mask, shape: shape)
  }

  /// A matrix of `float64` from its rows.
  ///
  /// - Precondition: All rows have the same length.
  public init(rows: [[Double]]) {
    let width = rows.first?.count ?? 0
    for (index, row) in rows.enumerated() where row.count != width {
      stop("Tensor(rows:)", "row 0 has \(width) elements and row \(index) has \(row.count)")
    }
    self.init(copying: rows.flatMap { $0 }, shape: [rows.count, width])
  }

  /// A tensor of one element without axes.
  public init(_ value: Double, _ scalarType: ScalarType = .float64) {
    self.init(repeating: value, shape: [], scalarType)
  }

  /// A tensor with every element equal to `value`.
  public init(repeating value: Double, shape: Shape, _ scalarType: ScalarType = .float64) {
    self.init(shape, scalarType) {
      tk_fill(scalarType.kernelType, value, $0, shape.elementCount)
    }
  }

  /// A tensor of zeros.
  public static func zeros(_ shape: Shape, _ scalarType: ScalarType = .float64) -> Tensor {
    Tensor(repeating: 0, shape: shape, scalarType)
  }

  /// A tensor of ones.
  public static func ones(_ shape: Shape, _ scalarType: ScalarType = .float64) -> Tensor {
    Tensor(repeating: 1, shape: shape, scalarType)
  }

  /// Zeros with the shape and scalar type of another tensor.
  public static func zeros(like other: Tensor) -> Tensor { zeros(other.shape, other.scalarType) }

  /// Ones with the shape and scalar type of another tensor.
  public static func ones(like other: Tensor) -> Tensor { ones(other.shape, other.scalarType) }

  /// The n × n identity matrix.
  public static func identity(_ n: Int, _ scalarType: ScalarType = .float64) -> Tensor {
    ones([n], scalarType).embeddedDiagonal()
  }

  /// `0, 1, …, count − 1`.
  public static func range(_ count: Int, _ scalarType: ScalarType = .float64) -> Tensor {
    Tensor((0..<count).map(Double.init)).cast(to: scalarType)
  }

  /// `count` equally spaced values from `first` to `last`, both included.
  public static func linearSpace(
    from first: Double, to last: Double, count: Int, _ scalarType: ScalarType = .float64
  ) -> Tensor {
    let step = count > 1 ? (last - first) / Double(count - 1) : 0
    // The last value is set, not stepped to, so that it is exact.
    return Tensor(
      (0..<count).map { $0 == count - 1 && count > 1 ? last : first + Double($0) * step }
    )
    .cast(to: scalarType)
  }

  /// Rows of zeros with a one at each index: shape of `indices` plus an axis of size `depth`.
  ///
  /// - Precondition: `indices` is `int32` with values in `0..<depth`.
  /// - Complexity: The memory of the result, and one byte more for each of its elements meanwhile.
  public static func oneHot(
    _ indices: Tensor, depth: Int, _ scalarType: ScalarType = .float64
  ) -> Tensor {
    indices.requireElements(below: depth, "oneHot")
    return (indices.expandingShape(at: -1) .== Tensor.range(depth, .int32)).cast(to: scalarType)
  }

  private init<S: TensorScalar>(copying elements: [S], shape: Shape?) {
    let shape = shape ?? [elements.count]
    guard shape.elementCount == elements.count else {
      stop("Tensor", "shape \(shape) has \(shape.elementCount) elements, found \(elements.count)")
    }
    self.init(shape, S.scalarType) { bytes in
      elements.withUnsafeBytes { source in
        if let base = source.baseAddress {
          bytes.copyMemory(from: base, byteCount: source.count)
        }
      }
    }
  }
}
