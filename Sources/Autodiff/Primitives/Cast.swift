/// Conversion between the floating-point types: linear, its transpose converts back.
package struct Cast: LinearPrimitive {
  let type: ScalarType

  package init(to type: ScalarType) { self.type = type }

  package var name: String { "cast" }
  package func evaluate(_ x: Tensor) -> Tensor { Kernels.cast(x, to: type) }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    cotangent.cast(to: x.scalarType)
  }
}

extension Tensor {
  /// The tensor with every element converted.
  ///
  /// To `int32`, truncates towards zero, saturates, and maps NaN to 0; to `bool`, tests against 0.
  /// Conversions to or from these two types carry no derivative.
  public func cast(to type: ScalarType) -> Tensor {
    if type == scalarType { return self }
    guard type.isFloatingPoint, scalarType.isFloatingPoint else {
      return Kernels.cast(with(trace: nil), to: type)
    }
    return apply(Cast(to: type), self)
  }
}
