import Autodiff

/// A point with an objective's value and gradient there.
struct ObjectivePoint {
  let x: Tensor
  let value: Double
  let gradient: Tensor
  /// ‖∇f‖, or NaN where the value is not finite.
  let residual: Double

  init(x: Tensor, value: Double, gradient: Tensor) {
    self.x = x
    self.value = value
    self.gradient = gradient
    residual = value.isFinite ? norm(gradient) : .nan
  }

  /// How much of a difference of objective values near here may be rounding.
  var resolution: Double { 64 * gradient.scalarType.ulpOfOne * abs(value) }
}
