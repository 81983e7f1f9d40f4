import CTensorKernels

/// The type of a tensor's elements, known at run time.
///
/// Only the floating-point types are differentiable. `int32` holds indices, `bool` holds masks.
public enum ScalarType: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  /// IEEE numbers of 32 and 64 bits, whole numbers of 32 bits with sign, and truth values in a byte.
  case float32, float64, int32, bool

  /// The bytes of one element.
  public var byteCount: Int {
    switch self {
    case .float32, .int32: 4
    case .float64: 8
    case .bool: 1
    }
  }

  /// Whether tensors of this type can carry derivatives.
  public var isFloatingPoint: Bool { self == .float32 || self == .float64 }

  /// The name, as in Swift code.
  public var description: String {
    switch self {
    case .float32: "float32"
    case .float64: "float64"
    case .int32: "int32"
    case .bool: "bool"
    }
  }

  /// Distance from 1 to the next larger value; 0 for the types that are not floating point.
  public var ulpOfOne: Double {
    switch self {
    case .float32: Double(Float.ulpOfOne)
    case .float64: Double.ulpOfOne
    case .int32, .bool: 0
    }
  }

  package var kernelType: tk_type {
    switch self {
    case .float32: TK_FLOAT32
    case .float64: TK_FLOAT64
    case .int32: TK_INT32
    case .bool: TK_BOOL
    }
  }
}

/// A Swift type that has a tensor scalar type of the same memory layout.
public protocol TensorScalar: Sendable {
  /// The scalar type with this type's memory layout.
  static var scalarType: ScalarType { get }
}

extension Float: TensorScalar { public static var scalarType: ScalarType { .float32 } }
extension Double: TensorScalar { public static var scalarType: ScalarType { .float64 } }
extension Int32: TensorScalar { public static var scalarType: ScalarType { .int32 } }
extension Bool: TensorScalar { public static var scalarType: ScalarType { .bool } }
