import CTensorKernels

/// mask ? a : b, with broadcasting; the mask carries no derivative.
package struct Select: Primitive {
  let mask: Tensor

  package init(_ mask: Tensor) { self.mask = mask }

  package var name: String { "select" }
  package var residuals: Residuals { [] }

  package func evaluate(_ inputs: [Tensor]) -> [Tensor] {
    [Kernels.select(mask, inputs[0], inputs[1])]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) -> [Tensor?] {
    let (a, b) = (point.inputs[0], point.inputs[1])
    let ȧ = tangents[0] ?? Tensor.zeros(like: a)
    let ḃ = tangents[1] ?? Tensor.zeros(like: b)
    return [select(mask, ȧ, ḃ)]
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) -> [Tensor?] {
    guard let cotangent = cotangents[0] else { return [nil, nil] }
    let (a, b) = (point.inputs[0], point.inputs[1])
    let zero = Tensor(0, like: cotangent)
    return [
      point.isActive(0) ? select(mask, cotangent, zero).summed(to: a.shape) : nil,
      point.isActive(1) ? select(mask, zero, cotangent).summed(to: b.shape) : nil,
    ]
  }
}

/// Elements of `a` where the mask is true, of `b` elsewhere (NumPy's `where`), with broadcasting.
///
/// The branch not taken has derivative 0, but a NaN it produces in its own derivative still
/// spreads: make both branches finite.
///
/// - Precondition: `mask` is `bool`; `a` and `b` have one scalar type.
public func select(_ mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
  if a.scalarType != b.scalarType {
    let (a, b) = Tensor.unified(a, b, "select")
    return select(mask, a, b)
  }
  return apply(Select(mask), a, b)
}

extension Tensor {
  /// The tensor with 0 where the mask is true, whatever stood there, and derivative 0 there.
  public func zeroed(where mask: Tensor) -> Tensor { select(mask, Tensor(0, like: self), self) }
}

// MARK: - Comparisons: bool tensors, which carry no derivative

extension Tensor {
  /// Elementwise a = b.
  public static func .== (a: Tensor, b: Tensor) -> Tensor { compared(TK_EQUAL, a, b, ".==") }
  /// Elementwise a ≠ b.
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { compared(TK_NOT_EQUAL, a, b, ".!=") }
  /// Elementwise a < b.
  public static func .< (a: Tensor, b: Tensor) -> Tensor { compared(TK_LESS, a, b, ".<") }
  /// Elementwise a ≤ b.
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { compared(TK_LESS_EQUAL, a, b, ".<=") }
  /// Elementwise a > b.
  public static func .> (a: Tensor, b: Tensor) -> Tensor { compared(TK_GREATER, a, b, ".>") }
  /// Elementwise a ≥ b.
  public static func .>= (a: Tensor, b: Tensor) -> Tensor {
    compared(TK_GREATER_EQUAL, a, b, ".>=")
  }
  /// Elementwise a = b for a constant b.
  public static func .== (a: Tensor, b: Double) -> Tensor { a .== Tensor(b, like: a) }
  /// Elementwise a ≠ b for a constant b.
  public static func .!= (a: Tensor, b: Double) -> Tensor { a .!= Tensor(b, like: a) }
  /// Elementwise a < b for a constant b.
  public static func .< (a: Tensor, b: Double) -> Tensor { a .< Tensor(b, like: a) }
  /// Elementwise a ≤ b for a constant b.
  public static func .<= (a: Tensor, b: Double) -> Tensor { a .<= Tensor(b, like: a) }
  /// Elementwise a > b for a constant b.
  public static func .> (a: Tensor, b: Double) -> Tensor { a .> Tensor(b, like: a) }
  /// Elementwise a ≥ b for a constant b.
  public static func .>= (a: Tensor, b: Double) -> Tensor { a .>= Tensor(b, like: a) }

  /// Elementwise conjunction of masks.
  public static func .& (a: Tensor, b: Tensor) -> Tensor { Kernels.logical(TK_AND, a, b, ".&") }
  /// Elementwise disjunction of masks.
  public static func .| (a: Tensor, b: Tensor) -> Tensor { Kernels.logical(TK_OR, a, b, ".|") }
  /// Elementwise exclusive or of masks.
  public static func .^ (a: Tensor, b: Tensor) -> Tensor { Kernels.logical(TK_XOR, a, b, ".^") }
  /// Elementwise negation of a mask.
  public static prefix func .! (a: Tensor) -> Tensor {
    Kernels.requireType(a, .bool, ".!")
    return Tensor(a.shape, .bool) { out in
      tk_logical_not(
        a.bytes.assumingMemoryBound(to: UInt8.self), out.assumingMemoryBound(to: UInt8.self),
        a.elementCount)
    }
  }

  /// Whether all elements of a mask are true; true for an empty one.
  public var allTrue: Bool {
    Kernels.requireType(self, .bool, "allTrue")
    return elements(as: Bool.self).allSatisfy { $0 }
  }

  /// Whether some element of a mask is true; false for an empty one.
  public var anyTrue: Bool {
    Kernels.requireType(self, .bool, "anyTrue")
    return elements(as: Bool.self).contains(true)
  }

  /// Whether all elements are neither infinite nor NaN.
  public var isFinite: Bool {
    let value = with(trace: nil)
    return !scalarType.isFloatingPoint || ((value - value) .== 0).allTrue
  }

  /// Whether some element of a floating-point tensor is infinite.
  package var hasInfinity: Bool {
    func search<T: TensorScalar & BinaryFloatingPoint>(_: T.Type) -> Bool {
      let elements = UnsafeBufferPointer(
        start: bytes.assumingMemoryBound(to: T.self), count: elementCount)
      // Counted, for a loop without exits runs at full speed.
      return elements.reduce(0) { $0 &+ ($1.magnitude == .infinity ? 1 : 0) } > 0
    }
    return scalarType == .float32 ? search(Float.self) : search(Double.self)
  }

  private static func compared(
    _ operation: tk_compare_op, _ a: Tensor, _ b: Tensor, _ name: String
  ) -> Tensor {
    if a.scalarType != b.scalarType {
      let (a, b) = Tensor.unified(a, b, name)
      return Kernels.compare(operation, a, b, name)
    }
    return Kernels.compare(operation, a, b, name)
  }
}
