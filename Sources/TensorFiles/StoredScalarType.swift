import Autodiff

/// The type of the elements of an array in a file, which has more types than tensors have.
///
/// Integers are read as `int32`, and refused where one does not fit; half precision is read as
/// `float32`, which is exact.
public enum StoredScalarType: String, Sendable, CaseIterable, CustomStringConvertible {
  /// A truth value in one byte, or a whole number of the stated bits, with sign or without (`u`).
  case bool, int8, uint8, int16, uint16, int32, uint32, int64, uint64
  /// A floating-point number of IEEE 754, or `bfloat16`, the upper half of a `float32`.
  case float16, bfloat16, float32, float64

  /// The type a tensor is written as.
  public init(_ scalarType: ScalarType) {
    self =
      switch scalarType {
      case .float32: .float32
      case .float64: .float64
      case .int32: .int32
      case .bool: .bool
      }
  }

  /// The bytes of one element.
  public var byteCount: Int {
    switch self {
    case .bool, .int8, .uint8: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  /// The bytes of all elements of an array; nil where the sizes are those of no array.
  ///
  /// An axis of size 0 must not hide that the others are absurd, because code multiplies these alone:
  /// they may stand for 64 GiB.
  func byteCount(ofShape shape: [Int]) -> Int? {
    var product = byteCount
    for size in shape where size != 0 {
      let (next, overflows) = product.multipliedReportingOverflow(by: size)
      if overflows { return nil }
      product = next
    }
    if shape.contains(0) { return product <= 1 << 36 ? 0 : nil }
    return product
  }

  /// The scalar type of a tensor read from such elements.
  public var scalarType: ScalarType {
    switch self {
    case .bool: .bool
    case .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64: .int32
    case .float16, .bfloat16, .float32: .float32
    case .float64: .float64
    }
  }

  /// The name as NumPy has it.
  public var description: String { rawValue }
}
