import CTensorKernels

extension Tensor {
  /// The sum over some axes (default: all).
  ///
  /// Blocked and pairwise: the error grows with the logarithm of the count, and the bits do not
  /// depend on the number of threads.
  public func sum(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    requireNumeric("sum")
    return reduced(axes, keepingDimensions, "sum") { apply(Sum($1), $0) }
  }

  /// The sum along one axis.
  public func sum(alongAxis axis: Int, keepingDimension: Bool = false) -> Tensor {
    sum(alongAxes: [axis], keepingDimensions: keepingDimension)
  }

  /// The arithmetic mean over some axes (default: all); NaN over no elements.
  public func mean(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    Kernels.requireFloat(self, "mean")
    let sum = sum(alongAxes: axes, keepingDimensions: keepingDimensions)
    return sum / (Double(elementCount) / Double(sum.elementCount))
  }

  /// The arithmetic mean along one axis.
  public func mean(alongAxis axis: Int, keepingDimension: Bool = false) -> Tensor {
    mean(alongAxes: [axis], keepingDimensions: keepingDimension)
  }

  /// The mean squared deviation from the mean over some axes (divided by n, not n − 1).
  public func variance(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let deviation = self - mean(alongAxes: axes, keepingDimensions: true)
    return square(deviation).mean(alongAxes: axes, keepingDimensions: keepingDimensions)
  }

  /// The largest element over some axes; NaN if there is one.
  ///
  /// Ties share the derivative equally.
  ///
  /// - Precondition: At least one element is compared.
  public func max(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    requireNumeric("max")
    return reduced(axes, keepingDimensions, "max") { apply(Extremum(isMaximum: true, $1), $0) }
  }

  /// The smallest element over some axes; NaN if there is one.
  ///
  /// Ties share the derivative equally.
  ///
  /// - Precondition: At least one element is compared.
  public func min(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    requireNumeric("min")
    return reduced(axes, keepingDimensions, "min") { apply(Extremum(isMaximum: false, $1), $0) }
  }

  /// ln Σ eˣ over some axes, without overflow.
  ///
  /// - Precondition: At least one element is summed.
  public func logSumExp(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    Kernels.requireFloat(self, "logSumExp")
    // The shift cancels, so it is a constant; an infinite one would give ∞ − ∞.
    let largest = stopGradient(self).max(alongAxes: axes, keepingDimensions: true)
    let shift = largest.zeroed(where: abs(largest) .== .infinity)
    let sum = exp(self - shift).sum(alongAxes: axes, keepingDimensions: true)
    return reduced(axes, keepingDimensions, "logSumExp") { _, _ in log(sum) + shift }
  }

  /// Logarithms of softmax probabilities along an axis.
  public func logSoftmax(alongAxis axis: Int = -1) -> Tensor {
    self - logSumExp(alongAxes: [axis], keepingDimensions: true)
  }

  /// Softmax probabilities along an axis.
  public func softmax(alongAxis axis: Int = -1) -> Tensor { exp(logSoftmax(alongAxis: axis)) }

  /// The Euclidean norm √Σx² over some axes (default: all), without overflow in its square.
  ///
  /// At x = 0 the derivative is taken as 0, the smallest subgradient, and so are higher ones: for
  /// ‖x‖², which is smooth there, write `square(x).sum()`.
  public func norm(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    Kernels.requireFloat(self, "norm")
    guard elementCount > 0 else {
      return sum(alongAxes: axes, keepingDimensions: keepingDimensions)
    }
    let largest = abs(stopGradient(self)).max(alongAxes: axes, keepingDimensions: true)
    let isPlain = (largest .> 0) .& (largest .< .infinity)
    let scale = select(isPlain, largest, Tensor.ones(like: largest))
    let sum = square(self / scale).sum(alongAxes: axes, keepingDimensions: true)
    // Both branches of the selection are finite in their derivatives too.
    let root = sqrt(select(sum .== 0, Tensor.ones(like: sum), sum)) * scale
    return reduced(axes, keepingDimensions, "norm") { _, _ in root.zeroed(where: sum .== 0) }
  }

  /// Σ|x| over some axes.
  public func norm1(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    abs(self).sum(alongAxes: axes, keepingDimensions: keepingDimensions)
  }

  /// max|x| over some axes.
  public func normInfinity(
    alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false
  ) -> Tensor {
    abs(self).max(alongAxes: axes, keepingDimensions: keepingDimensions)
  }

  /// The largest element along one axis; see `max(alongAxes:keepingDimensions:)`.
  public func max(alongAxis axis: Int, keepingDimension: Bool = false) -> Tensor {
    max(alongAxes: [axis], keepingDimensions: keepingDimension)
  }

  /// The smallest element along one axis; see `min(alongAxes:keepingDimensions:)`.
  public func min(alongAxis axis: Int, keepingDimension: Bool = false) -> Tensor {
    min(alongAxes: [axis], keepingDimensions: keepingDimension)
  }

  /// ln Σ eˣ along one axis; see `logSumExp(alongAxes:keepingDimensions:)`.
  public func logSumExp(alongAxis axis: Int, keepingDimension: Bool = false) -> Tensor {
    logSumExp(alongAxes: [axis], keepingDimensions: keepingDimension)
  }

  /// The Euclidean norm along one axis; see `norm(alongAxes:keepingDimensions:)`.
  public func norm(alongAxis axis: Int, keepingDimension: Bool = false) -> Tensor {
    norm(alongAxes: [axis], keepingDimensions: keepingDimension)
  }

  /// Running sums along an axis; from the end when reversed.
  public func cumulativeSum(alongAxis axis: Int, reversed: Bool = false) -> Tensor {
    requireNumeric("cumulativeSum")
    let axis = shape.normalizedAxis(axis, "cumulativeSum")
    return apply(CumulativeSum(axis: axis, isReversed: reversed), self)
  }

  /// `int32` indices of the first largest elements along an axis.
  public func argmax(alongAxis axis: Int) -> Tensor { argReduced(TK_MAX, axis, "argmax") }

  /// `int32` indices of the first smallest elements along an axis.
  public func argmin(alongAxis axis: Int) -> Tensor { argReduced(TK_MIN, axis, "argmin") }

  // MARK: - Shared

  private func requireNumeric(_ name: String) {
    if scalarType == .bool { stop(name, "not defined for bool; cast(to:) a number first") }
  }

  private func reduced(
    _ axes: [Int]?, _ keepingDimensions: Bool, _ name: String,
    _ reduction: (Tensor, AxisSet) -> Tensor
  ) -> Tensor {
    let set = AxisSet(axes, of: shape, name)
    let result = reduction(self, set)
    return keepingDimensions ? result : result.reshaped(to: set.removed(from: shape))
  }

  private func argReduced(_ operation: tk_reduce_op, _ axis: Int, _ name: String) -> Tensor {
    requireNumeric(name)
    let axis = shape.normalizedAxis(axis, name)
    guard shape[axis] > 0 else { stop(name, "no elements to compare in shape \(shape)") }
    let (outer, inner) = shape.extents(around: axis)
    return Tensor(shape.removing(axis: axis), .int32) { out in
      tk_arg_reduce(
        scalarType.kernelType, operation, outer, shape[axis], inner, bytes,
        out.assumingMemoryBound(to: Int32.self))
    }
  }
}
