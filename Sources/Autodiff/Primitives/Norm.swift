import CTensorKernels

/// ‖x‖ along one axis, which keeps size 1.
package struct Norm: UnaryPrimitive {
  let axis: Int

  package init(axis: Int) { self.axis = axis }

  package var name: String { "norm" }
  package var residuals: Residuals { .inputs }

  package func evaluate(_ x: Tensor) -> Tensor { Kernels.norm(x, alongAxis: axis).value }

  package func jvp(_ x: Tensor, _ y: Tensor, _ tangent: Tensor) -> Tensor? {
    (apply(Direction(axis: axis), x) * tangent).sum(alongAxis: axis, keepingDimension: true)
  }
  package func vjp(_ x: Tensor, _ y: Tensor, _ cotangent: Tensor) -> Tensor? {
    cotangent * apply(Direction(axis: axis), x)
  }
}

/// p = x / ‖x‖ along one axis, the derivative of the norm; 0 at x = 0, to every order.
package struct Direction: UnaryPrimitive {
  let axis: Int

  package init(axis: Int) { self.axis = axis }

  package var name: String { "norm" }
  package var residuals: Residuals { [.inputs, .outputs] }

  package func evaluate(_ x: Tensor) -> Tensor {
    let (norm, isPlain) = Kernels.norm(x, alongAxis: axis)
    let plain = x / norm
    guard let isPlain else { return plain }
    let scaled = Kernels.scaled(x, alongAxis: axis).values
    let length = Kernels.norm(scaled, alongAxis: axis).value
    return select(isPlain, plain, scaled / select(length .== 0, Tensor.ones(like: length), length))
  }

  // J = (1 − p pᵀ) / ‖x‖ is symmetric.
  package func jvp(_ x: Tensor, _ p: Tensor, _ tangent: Tensor) -> Tensor? {
    timesJacobian(tangent, x, p)
  }
  package func vjp(_ x: Tensor, _ p: Tensor, _ cotangent: Tensor) -> Tensor? {
    timesJacobian(cotangent, x, p)
  }

  /// J v, of which only what differs from a multiple of p counts.
  ///
  /// That multiple is taken away first, at the largest element of p exactly: where p is nearly a
  /// unit vector, v − p (pᵀv) would be rounding.
  private func timesJacobian(_ v: Tensor, _ x: Tensor, _ p: Tensor) -> Tensor {
    let magnitude = abs(stopGradient(p))
    guard p.elementCount > 0 else { return v }
    let tops = Kernels.positions(TK_MAX, of: magnitude, alongAxis: axis)
    let isTop = p.mask(of: tops, alongAxis: axis)
    let top = p.picking(tops, alongAxis: axis)
    let multiple =
      v.picking(tops, alongAxis: axis) / select(top .== 0, Tensor.ones(like: top), top)
    let w = (v - p * multiple).zeroed(where: isTop)
    let across = w - p * (p * w).sum(alongAxis: axis, keepingDimension: true)
    // At x = 0 the quotient by ∞ is 0, at every order.
    let norm = apply(Norm(axis: axis), x)
    return across / select(norm .== 0, Tensor(.infinity, like: norm), norm)
  }
}

extension Kernels {
  /// The norm along an axis, and where the squares neither overflowed nor vanished; nil is
  /// everywhere.
  fileprivate static func norm(
    _ x: Tensor, alongAxis axis: Int
  ) -> (value: Tensor, isPlain: Tensor?) {
    let squares = square(x).sum(alongAxis: axis, keepingDimension: true)
    // In this range no square has overflowed, and those that vanished do not count.
    let (low, high) = x.scalarType == .float32 ? (1e-30, 1e37) : (1e-280, 1e300)
    let isPlain = (squares .>= low) .& (squares .<= high)
    if isPlain.allTrue { return (sqrt(squares), nil) }
    let (scaled, scale) = scaled(x, alongAxis: axis)
    let length = sqrt(square(scaled).sum(alongAxis: axis, keepingDimension: true))
    return (select(isPlain, sqrt(squares), scale * length), isPlain)
  }

  /// x divided by its largest element, and that, along an axis.
  ///
  /// Infinite elements count as ±1 beside which the finite ones vanish; zeros stay zeros.
  fileprivate static func scaled(
    _ x: Tensor, alongAxis axis: Int
  ) -> (values: Tensor, scale: Tensor) {
    let magnitude = abs(x)
    let scale = magnitude.max(alongAxis: axis, keepingDimension: true)
    let isInfinite = scale .== .infinity
    let units = sign(x).zeroed(where: magnitude .< .infinity)
    let divisor = select(scale .== 0, Tensor.ones(like: scale), scale)
    return (select(isInfinite, units, x / divisor), scale)
  }
}

extension Tensor {
  /// The Euclidean norm √Σx² over some axes (default: all), without overflow in its square.
  ///
  /// At x = 0 the derivative is taken as 0, the smallest subgradient, and so are higher ones: for
  /// ‖x‖², which is smooth there, write `square(x).sum()`.
  public func norm(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    Kernels.requireFloat(self, "norm")
    guard elementCount > 0 else {
      return sum(alongAxes: axes, keepingDimensions: keepingDimensions)
    }
    return reducedAlongOneAxis(axes, keepingDimensions, "norm") { apply(Norm(axis: $1), $0) }
  }

  /// The Euclidean norm along one axis; see `norm(alongAxes:keepingDimensions:)`.
  public func norm(alongAxis axis: Int, keepingDimension: Bool = false) -> Tensor {
    norm(alongAxes: [axis], keepingDimensions: keepingDimension)
  }
}
