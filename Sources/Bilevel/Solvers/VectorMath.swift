import Autodiff

/// uᵀ v of two vectors.
func inner(_ u: Tensor, _ v: Tensor) -> Double { dot(u, v).scalar }

/// ‖v‖₂ of a vector.
func norm(_ v: Tensor) -> Double {
  let square = inner(v, v)
  // The careful formula where the square leaves the range of the scalar type.
  let range = v.scalarType == .float32 ? 1e-30..<1e30 : 1e-280..<1e280
  return range.contains(square) ? square.squareRoot() : v.norm().scalar
}

extension Tensor {
  /// The vector with a one at an index and zeros elsewhere.
  static func basisVector(_ index: Int, _ size: Int, _ scalarType: ScalarType) -> Tensor {
    var elements = [Double](repeating: 0, count: size)
    elements[index] = 1
    return Tensor(elements).cast(to: scalarType)
  }
}
