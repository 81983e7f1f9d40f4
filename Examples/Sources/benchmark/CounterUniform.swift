import Autodiff

/// Elements of U(−1, 1) by SplitMix64 in counter form, as any language can make them; scaled in
/// double precision, then rounded to float32.
func counterUniform(seed: UInt64, _ shape: Shape, scale: Double = 1) -> Tensor {
  counterUniformElements(seed: seed, shape.elementCount, scale: scale, shape: shape)
    .cast(to: .float32)
}

/// The same elements before rounding, float64.
func counterUniformElements(
  seed: UInt64, _ count: Int, scale: Double = 1, shape: Shape? = nil
) -> Tensor {
  let elements = (0..<count).map { index in
    var z = seed &+ UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return (Double(z >> 40) * 0x1p-23 - 1) * scale
  }
  return Tensor(elements, shape: shape ?? [count])
}
