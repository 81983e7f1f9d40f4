import CTensorKernels

extension Tensor {
  /// The sum over some axes (default: all).
  ///
  /// Blocked and pairwise: the error grows with the logarithm of the count, and the bits do not
  /// depend on the number of threads.
  ///
  /// - Precondition: The sums of an `int32` tensor fit `int32`.
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
  ///
  /// Exactly 0 for equal elements, and accurate whatever the size of a common offset.
  public func variance(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    square(deviations(axes, "variance"))
      .mean(alongAxes: axes, keepingDimensions: keepingDimensions)
  }

  /// The square root of the variance over some axes (divided by n, not n − 1): the norm of the
  /// deviations from the mean, over √n.
  ///
  /// Where all elements are equal it is 0 and its derivative is taken as 0, the smallest
  /// subgradient, and so are higher ones; the square root of `variance` has an infinite slope there.
  public func standardDeviation(
    alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false
  ) -> Tensor {
    let norm = deviations(axes, "standardDeviation")
      .norm(alongAxes: axes, keepingDimensions: keepingDimensions)
    return norm / (Double(elementCount) / Double(norm.elementCount)).squareRoot()
  }

  /// x less its mean over some axes.
  ///
  /// The first element is taken away before, so that a common offset is not rounded into the mean.
  private func deviations(_ axes: [Int]?, _ operation: String) -> Tensor {
    Kernels.requireFloat(self, operation)
    guard elementCount > 0 else { return self }
    var grid = Grid(starts: Extents(repeating: 0), steps: Extents(repeating: 1), shape: shape)
    grid.shape = AxisSet(axes, of: shape, operation).collapsed(shape)
    let shifted = self - Slice(grid).evaluate(self)
    return shifted - shifted.mean(alongAxes: axes, keepingDimensions: true)
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

  /// Running sums along an axis; from the end when reversed.
  ///
  /// - Precondition: Those of an `int32` tensor fit `int32`.
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

  /// A reduction along one axis, which keeps size 1, over any axes: they are made one first.
  func reducedAlongOneAxis(
    _ axes: [Int]?, _ keepingDimensions: Bool, _ name: String,
    _ reduction: (_ x: Tensor, _ axis: Int) -> Tensor
  ) -> Tensor {
    let set = AxisSet(axes, of: shape, name)
    let reduced = (0..<rank).filter(set.contains)
    let result: Tensor
    if reduced.count == 1 {
      result = reduction(self, reduced[0])
    } else {
      let kept = (0..<rank).filter { !set.contains($0) }
      let count = reduced.reduce(1) { $0 * shape[$1] }
      let rows = permuted(to: kept + reduced)
        .reshaped(to: Shape(kept.map { shape[$0] } + [count]))
      result = reduction(rows, kept.count)
    }
    return result.reshaped(to: keepingDimensions ? set.collapsed(shape) : set.removed(from: shape))
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
    return Kernels.positions(operation, of: self, alongAxis: axis)
      .reshaped(to: shape.removing(axis: axis))
  }
}
