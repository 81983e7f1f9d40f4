/// A dense, row-major, n-dimensional array with value semantics, differentiable where its scalar
/// type is floating point.
///
/// A tensor is a value plus, while it is being differentiated, a *trace*: what the innermost
/// transform needs to know about it (see `Trace`). Operations follow NumPy's broadcasting rule.
/// Operands must have the same scalar type; Swift scalars adopt the tensor's. Mistakes in shapes,
/// axes and scalar types stop the program with a message; numerical failures are thrown.
public struct Tensor: @unchecked Sendable {
  // Safety of @unchecked Sendable: the bytes of a storage are written only while one owner holds it,
  // before it is published in a tensor or after `isKnownUniquelyReferenced`.

  let storage: Storage
  /// What the running transforms know about this tensor.
  let tracing: Trace?
  /// The sizes of the axes.
  public let shape: Shape
  /// The type of the elements.
  public let scalarType: ScalarType

  init(storage: Storage, shape: Shape, scalarType: ScalarType, trace: Trace? = nil) {
    self.storage = storage
    tracing = trace
    self.shape = shape
    self.scalarType = scalarType
  }

  /// A tensor whose elements `body` writes, all of them, into uninitialised memory.
  package init(
    _ shape: Shape, _ scalarType: ScalarType, writing body: (UnsafeMutableRawPointer) -> Void
  ) {
    let storage = Storage.allocate(byteCount: shape.elementCount * scalarType.byteCount)
    body(storage.bytes)
    self.init(storage: storage, shape: shape, scalarType: scalarType)
  }

  /// The number of axes.
  public var rank: Int { shape.rank }

  /// The number of elements.
  public var elementCount: Int { shape.elementCount }

  /// The same value with another trace.
  func with(trace: Trace?) -> Tensor {
    Tensor(storage: storage, shape: shape, scalarType: scalarType, trace: trace)
  }

  /// The same bytes under a shape of the same element count.
  func viewed(as shape: Shape) -> Tensor {
    Tensor(storage: storage, shape: shape, scalarType: scalarType)
  }

  /// Shape and scalar type without values: what a tape keeps where a rule reads no values.
  var abstract: Tensor {
    Tensor(storage: .absent, shape: shape, scalarType: scalarType)
  }

  /// The elements' bytes, read-only by convention.
  package var bytes: UnsafeMutableRawPointer {
    // A tape keeps only what a primitive declares (`Primitive.residuals`).
    if storage === Storage.absent && elementCount > 0 {
      stop("tape", "a derivative rule reads values it did not declare as residuals")
    }
    return storage.bytes
  }
}

// MARK: - Reading values

extension Tensor {
  /// All elements in row-major order, converted to `Double`.
  ///
  /// - Precondition: The tensor is not being differentiated (see `stopGradient`).
  public var scalars: [Double] { cast(to: .float64).elements(as: Double.self) }

  /// All elements in row-major order.
  ///
  /// - Precondition: `type` has the tensor's scalar type, and the tensor is not being
  ///   differentiated: a Swift array carries no derivative, so what is computed from it would
  ///   silently count as constant. Where that is meant, read `stopGradient(tensor)`.
  public func elements<S: TensorScalar>(as type: S.Type) -> [S] {
    guard S.scalarType == scalarType else {
      if isPromotingFloats, scalarType.isFloatingPoint, S.scalarType.isFloatingPoint {
        return cast(to: S.scalarType).elements(as: type)
      }
      stop("elements(as:)", "expected a tensor of \(S.scalarType), found \(scalarType); cast first")
    }
    requireReadable("elements(as:)")
    let start = bytes.assumingMemoryBound(to: S.self)
    return Array(UnsafeBufferPointer(start: start, count: elementCount))
  }

  /// The only element of a tensor of one element, as `Double`.
  ///
  /// - Precondition: One element, and not being differentiated (see `stopGradient`).
  public var scalar: Double {
    guard elementCount == 1 else {
      stop("scalar", "expected a tensor of one element, found shape \(shape)")
    }
    requireReadable("scalar")
    return switch scalarType {
    case .float32: Double(bytes.load(as: Float.self))
    case .float64: bytes.load(as: Double.self)
    case .int32: Double(bytes.load(as: Int32.self))
    case .bool: Double(bytes.load(as: UInt8.self))
    }
  }

  private func requireReadable(_ operation: String) {
    if isTraced {
      stop(
        operation,
        """
        this tensor of shape \(shape) is being differentiated, and a Swift number carries no \
        derivative: what is computed from it would silently count as constant. \
        Use tensor operations, or stopGradient(tensor).\(operation) where a constant is meant
        """)
    }
  }
}

// MARK: - Exact equality of values

extension Tensor {
  /// Whether two tensors have the same shape, scalar type and bits (so NaN equals itself and 0
  /// differs from −0).
  ///
  /// Traces are ignored.
  public func isBitwiseEqual(to other: Tensor) -> Bool {
    guard shape == other.shape, scalarType == other.scalarType else { return false }
    let count = elementCount * scalarType.byteCount
    let mine = UnsafeRawBufferPointer(start: bytes, count: count)
    return mine.elementsEqual(UnsafeRawBufferPointer(start: other.bytes, count: count))
  }
}
