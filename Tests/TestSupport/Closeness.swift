import Autodiff

/// Agreement to 13 digits, relative to 1 for small values.
package func isClose(_ a: Double, _ b: Double, tolerance: Double = 1e-13) -> Bool {
  (a - b).magnitude <= tolerance * max(1, a.magnitude, b.magnitude)
}

/// Elementwise agreement to 13 digits, relative to 1 for small values.
package func isClose(_ a: Tensor, _ b: Tensor, tolerance: Double = 1e-13) -> Bool {
  a.shape == b.shape
    && zip(a.scalars, b.scalars).allSatisfy { isClose($0, $1, tolerance: tolerance) }
}

/// Agreement relative to the reference however small it is.
package func agrees(_ value: Double, _ reference: Double, to tolerance: Double = 1e-12) -> Bool {
  abs(value - reference) <= tolerance * abs(reference)
}

/// Agreement of every number relative to its reference.
package func agree(_ values: [Double], _ references: [Double], to tolerance: Double = 1e-12) -> Bool
{
  values.count == references.count
    && zip(values, references).allSatisfy { agrees($0, $1, to: tolerance) }
}

/// ‖x‖₂.
package func length(_ x: Tensor) -> Double { x.cast(to: .float64).norm().scalar }

/// ‖a − b‖₂.
package func distance(_ a: Tensor, _ b: Tensor) -> Double {
  length(a.cast(to: .float64) - b.cast(to: .float64))
}

/// ‖x − y‖ / ‖y‖.
package func relativeError(_ x: Tensor, _ y: Tensor) -> Double { distance(x, y) / length(y) }
