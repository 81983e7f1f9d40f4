import CTensorKernels

// The functions below share one argument, s = x − m with m = maxⱼ xⱼ, so that the largest element of
// each row along their axis is 0; `tops` are the positions of these. The logarithm is that of 1 + r,
// where r = Σ eˢ over all but the top never meets the 1 of the top: near certainty r is far below the
// rounding of 1, and is all that the result and its derivatives consist of. For the same reason
// tangents are taken relative to that of the top, which the Jacobian does not see: J 1 = 0.

/// l = ln Σ eˢ = ln(1 + r) along one axis, which keeps size 1, and its derivative p = eˢ / Σ eˢ.
package struct Softmax: Primitive {
  let axis: Int
  let tops: Tensor

  package init(axis: Int, tops: Tensor) {
    self.axis = axis
    self.tops = tops
  }

  package var name: String { "softmax" }
  package var residuals: Residuals { .outputs }

  package func evaluate(_ inputs: [Tensor]) -> [Tensor] {
    let parts = Kernels.exponentials(inputs[0], tops, alongAxis: axis)
    Kernels.place(parts.top, at: tops, in: parts.others, alongAxis: axis)
    return [parts.logarithm, parts.others / (parts.top + parts.rest)]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) -> [Tensor?] {
    guard let tangent = tangents[0] else { return [nil, nil] }
    let p = point.outputs[1]
    let top = tangent.picking(tops, alongAxis: axis)
    let u = tangent - top
    let mean = (p * u).sum(alongAxis: axis, keepingDimension: true)
    return [top + mean, p * (u - mean)]
  }

  /// l̄ p + J p̄, where J = diag p − p pᵀ is symmetric.
  package func vjp(_ point: Point, _ cotangents: [Tensor?]) -> [Tensor?] {
    let p = point.outputs[1]
    var result = cotangents[0].map { $0 * p }
    if let p̄ = cotangents[1] {
      let u = p̄ - p̄.picking(tops, alongAxis: axis)
      let part = p * (u - (p * u).sum(alongAxis: axis, keepingDimension: true))
      result = result.plus(part)
    }
    return [result]
  }
}

/// s − ln Σ eˢ along one axis.
package struct LogSoftmax: UnaryPrimitive {
  let axis: Int
  let tops: Tensor

  package init(axis: Int, tops: Tensor) {
    self.axis = axis
    self.tops = tops
  }

  package var name: String { "logSoftmax" }
  package var residuals: Residuals { .outputs }

  package func evaluate(_ s: Tensor) -> Tensor {
    Kernels.binary(
      TK_SUBTRACT, s, Kernels.exponentials(s, tops, alongAxis: axis).logarithm, name)
  }

  package func jvp(_ s: Tensor, _ y: Tensor, _ tangent: Tensor) -> Tensor? {
    let u = tangent - tangent.picking(tops, alongAxis: axis)
    return u - (exp(y) * u).sum(alongAxis: axis, keepingDimension: true)
  }

  /// ȳ − p Σȳ.
  ///
  /// At the top that is (1 − p) ȳ − p R, with R the sum over the others and 1 − p = −(eʸ − 1).
  package func vjp(_ s: Tensor, _ y: Tensor, _ cotangent: Tensor) -> Tensor? {
    let isTop = y.mask(of: tops, alongAxis: axis)
    let others = cotangent.zeroed(where: isTop).sum(alongAxis: axis, keepingDimension: true)
    let own = cotangent.picking(tops, alongAxis: axis)
    let top = y.picking(tops, alongAxis: axis)
    return select(
      isTop, -(own * expMinusOne(top) + others * exp(top)), cotangent - exp(y) * (own + others))
  }
}

extension Kernels {
  /// eˢ at the tops, which is 1 or NaN, and elsewhere, with 0 at the tops; the sum r of the latter
  /// along an axis, and ln(1 + r).
  fileprivate static func exponentials(
    _ s: Tensor, _ tops: Tensor, alongAxis axis: Int
  ) -> (top: Tensor, others: Tensor, rest: Tensor, logarithm: Tensor) {
    let others = unary(TK_EXP, s)
    let top = pick(tops, of: others, alongAxis: axis)
    place(Tensor.zeros(like: top), at: tops, in: others, alongAxis: axis)
    var axes = AxisSet()
    axes.insert(axis)
    let rest = reduce(TK_SUM, others, axes)
    return (top, others, rest, unary(TK_LOG1P, rest))
  }
}

// MARK: - Public functions

extension Tensor {
  /// ln Σ eˣ over some axes: without overflow, and without losing terms far below the largest.
  ///
  /// The derivative is the softmax. Where the largest elements are infinite, they share it equally,
  /// so that terms e^−∞ = 0 may be summed and differentiated.
  ///
  /// - Precondition: At least one element is summed.
  public func logSumExp(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    Kernels.requireFloat(self, "logSumExp")
    return reducedAlongOneAxis(axes, keepingDimensions, "logSumExp") { x, axis in
      let (tops, largest) = x.tops(alongAxis: axis, "logSumExp")
      guard largest.hasInfinity else {
        let s = x - largest
        guard s.isTraced else {
          return largest + Kernels.exponentials(s, tops, alongAxis: axis).logarithm
        }
        return largest + apply(Softmax(axis: axis, tops: tops), [s])[0]
      }
      let isInfinite = abs(largest) .== .infinity
      let isShared = x .== largest
      let shares = isShared.cast(to: x.scalarType).sum(alongAxis: axis, keepingDimension: true)
      let mean = x.zeroed(where: .!isShared).sum(alongAxis: axis, keepingDimension: true) / shares
      let finite = x.zeroed(where: isInfinite).logSumExp(alongAxis: axis, keepingDimension: true)
      return select(isInfinite, mean, finite)
    }
  }

  /// ln Σ eˣ along one axis; see `logSumExp(alongAxes:keepingDimensions:)`.
  public func logSumExp(alongAxis axis: Int, keepingDimension: Bool = false) -> Tensor {
    logSumExp(alongAxes: [axis], keepingDimensions: keepingDimension)
  }

  /// Logarithms of softmax probabilities along an axis: (x − max x) − ln Σ e^(x − max x).
  ///
  /// Accurate for what is nearly certain too, where ln p is about −(1 − p), and whatever the size of
  /// a common offset of x. −∞ has probability 0 and one +∞ has probability 1; where all elements
  /// are −∞, or several +∞, there are no probabilities and the result is NaN.
  public func logSoftmax(alongAxis axis: Int = -1) -> Tensor {
    let (s, axis, tops) = shiftedToTop(alongAxis: axis, "logSoftmax")
    return apply(LogSoftmax(axis: axis, tops: tops), s)
  }

  /// Softmax probabilities eˣ / Σ eˣ along an axis; for infinite x see `logSoftmax(alongAxis:)`.
  public func softmax(alongAxis axis: Int = -1) -> Tensor {
    let (s, axis, tops) = shiftedToTop(alongAxis: axis, "softmax")
    return apply(Softmax(axis: axis, tops: tops), [s])[1]
  }

  /// x − max x along an axis, the axis counted from the front, and the positions of the maxima.
  private func shiftedToTop(
    alongAxis axis: Int, _ operation: String
  ) -> (s: Tensor, axis: Int, tops: Tensor) {
    Kernels.requireFloat(self, operation)
    let axis = shape.normalizedAxis(axis, operation)
    let (tops, largest) = tops(alongAxis: axis, operation)
    let s = self - largest
    guard largest.hasInfinity else { return (s, axis, tops) }
    // ∞ − ∞ of the top is 0; what else is ∞ stays ∞ − ∞.
    let isInfinite = mask(of: tops, alongAxis: axis) .& (largest .== .infinity)
    return (s.zeroed(where: isInfinite), axis, tops)
  }

  /// Positions and values of the largest elements along an axis, which keeps size 1; constants.
  private func tops(
    alongAxis axis: Int, _ operation: String
  ) -> (positions: Tensor, values: Tensor) {
    if shape[axis] == 0, elementCount == 0, shape.removing(axis: axis).elementCount > 0 {
      stop(operation, "no elements to sum along axis \(axis) of shape \(shape)")
    }
    guard elementCount > 0 else {
      var empty = shape
      empty[axis] = 1
      return (Tensor.zeros(empty, .int32), Tensor.zeros(empty, scalarType))
    }
    let positions = Kernels.positions(TK_MAX, of: self, alongAxis: axis)
    return (positions, Kernels.pick(positions, of: self, alongAxis: axis))
  }
}
