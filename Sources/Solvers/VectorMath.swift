import Autodiff

/// uᵀ v of two vectors; float32 is summed in double precision.
package func inner(_ u: Tensor, _ v: Tensor) -> Double {
  guard u.scalarType == .float32, v.scalarType == .float32, u.shape == v.shape,
    !u.isTraced, !v.isTraced
  else { return dot(u, v).scalar }
  return withExtendedLifetime((u, v)) {
    let a = u.bytes.assumingMemoryBound(to: Float.self)
    let b = v.bytes.assumingMemoryBound(to: Float.self)
    // Eight sums, so that the additions do not wait for each other.
    var sums = SIMD8<Double>.zero
    let whole = u.elementCount & ~7
    for start in stride(from: 0, to: whole, by: 8) {
      for lane in 0..<8 { sums[lane] += Double(a[start + lane]) * Double(b[start + lane]) }
    }
    var sum = sums.sum()
    for index in whole..<u.elementCount { sum += Double(a[index]) * Double(b[index]) }
    return sum
  }
}

/// ‖v‖₂ of a vector.
package func norm(_ v: Tensor) -> Double {
  let square = inner(v, v)
  // The careful formula where the square leaves the range of the sum.
  let isSafe = v.scalarType == .float32 || (1e-280..<1e280).contains(square)
  return isSafe ? square.squareRoot() : v.norm().scalar
}

/// a x + b y (+ c z) in one pass over the vectors, which are constants.
///
/// The coefficients are rounded to the scalar type once.
func combination(
  _ a: Double, _ x: Tensor, _ b: Double, _ y: Tensor, _ third: (c: Double, z: Tensor)? = nil
) -> Tensor {
  func run<Scalar: BinaryFloatingPoint>(_: Scalar.Type) -> Tensor {
    Tensor(x.shape, x.scalarType) { out in
      let out = out.assumingMemoryBound(to: Scalar.self)
      let (a, b) = (Scalar(a), Scalar(b))
      let xs = x.bytes.assumingMemoryBound(to: Scalar.self)
      let ys = y.bytes.assumingMemoryBound(to: Scalar.self)
      let count = x.elementCount
      if let third {
        let c = Scalar(third.c)
        let zs = third.z.bytes.assumingMemoryBound(to: Scalar.self)
        for i in 0..<count { out[i] = a * xs[i] + b * ys[i] + c * zs[i] }
      } else {
        for i in 0..<count { out[i] = a * xs[i] + b * ys[i] }
      }
    }
  }
  return withExtendedLifetime((x, y, third)) {
    x.scalarType == .float32 ? run(Float.self) : run(Double.self)
  }
}

/// A vector of independent standard normal numbers.
func normalVector(like v: Tensor, using generator: inout PhiloxGenerator) -> Tensor {
  .normal(v.shape, v.scalarType, using: &generator)
}

extension Tensor {
  /// The vector with a one at an index and zeros elsewhere.
  package static func basisVector(_ index: Int, _ size: Int, _ scalarType: ScalarType) -> Tensor {
    var elements = [Double](repeating: 0, count: size)
    elements[index] = 1
    return Tensor(elements).cast(to: scalarType)
  }
}
