import CTensorKernels

/// Runs `body` with `float32` tensors converted where they meet `float64` ones, which stops a program
/// otherwise; or, in such a body, as usual again.
///
/// Lets a function that captures `float32` tensors be evaluated at a `float64` point, exactly: a
/// conversion to `float64` does not round.
package func promotingFloats<R, E: Error>(
  _ isOn: Bool = true, _ body: () throws(E) -> R
) throws(E) -> R {
  let outer = tk_thread_slot(TK_FLOAT_PROMOTION)
  tk_set_thread_slot(TK_FLOAT_PROMOTION, UnsafeMutableRawPointer(bitPattern: isOn ? 1 : 0))
  defer { tk_set_thread_slot(TK_FLOAT_PROMOTION, outer) }
  return try body()
}

/// Whether this thread converts.
package var isPromotingFloats: Bool { tk_thread_slot(TK_FLOAT_PROMOTION) != nil }

/// What a message of a stop adds where the program did not ask for `float64` itself.
var floatPromotionNote: String {
  isPromotingFloats
    ? """
    . This is a gradient check, which evaluates a float32 function in float64 too; where the \
    function only works in float32, pass precision: .asGiven
    """ : ""
}

extension Tensor {
  /// Two operands of different scalar types as operands of one, where that is asked for; stops
  /// otherwise.
  static func unified(_ a: Tensor, _ b: Tensor, _ name: String) -> (Tensor, Tensor) {
    guard isPromotingFloats, a.scalarType.isFloatingPoint, b.scalarType.isFloatingPoint else {
      Kernels.requireSameType(a, b, name)
      return (a, b)
    }
    return (a.cast(to: .float64), b.cast(to: .float64))
  }
}
