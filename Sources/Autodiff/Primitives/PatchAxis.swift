/// The windows along one axis of an image: window o reads elements
/// o · stride − before + k · dilation, k = 0, …, kernel − 1; those outside the axis are padding.
package struct PatchAxis: Sendable {
  package let inputSize: Int
  package let kernelSize: Int
  package let stride: Int
  package let dilation: Int
  /// How many elements of padding lie before the first one.
  package let before: Int
  /// How many windows there are.
  package let outputSize: Int

  /// Lays windows out.
  ///
  /// - Parameter operation: For messages.
  /// - Precondition: Positive kernel, stride and dilation, no negative padding, and room for at
  ///   least one window.
  package init(
    inputSize: Int, kernelSize: Int, stride: Int = 1, dilation: Int = 1, before: Int = 0,
    after: Int = 0, operation: String
  ) {
    guard kernelSize > 0, stride > 0, dilation > 0, before >= 0, after >= 0 else {
      stop(
        operation,
        """
        kernel, stride and dilation must be positive and padding not negative, found kernel \
        \(kernelSize), stride \(stride), dilation \(dilation), padding \(before) and \(after)
        """)
    }
    let span = (kernelSize - 1) * dilation + 1
    guard span <= inputSize + before + after else {
      stop(
        operation,
        """
        a kernel of \(kernelSize) elements with dilation \(dilation) spans \(span), which does not \
        fit an axis of \(inputSize) elements with padding \(before) and \(after)
        """)
    }
    self.inputSize = inputSize
    self.kernelSize = kernelSize
    self.stride = stride
    self.dilation = dilation
    self.before = before
    outputSize = (inputSize + before + after - span) / stride + 1
  }

  /// The part of a window that lies on the axis, as kernel positions.
  func inside(window: Int) -> Range<Int> {
    let start = window * stride - before
    // The first k with start + k dilation ≥ 0, and the first with start + k dilation ≥ input size.
    let lower = start >= 0 ? 0 : (-start + dilation - 1) / dilation
    let upper = start >= inputSize ? 0 : (inputSize - start + dilation - 1) / dilation
    return min(lower, kernelSize)..<max(min(lower, kernelSize), min(upper, kernelSize))
  }
}
