import Autodiff

/// How many elements are imagined around an image, so that windows may reach beyond it.
public enum Padding2D: Sendable, Hashable {
  /// None: windows lie inside the image.
  case valid
  /// As many as make the output size ⌈input / stride⌉; where that number is odd, the larger part
  /// stands at the bottom and at the right.
  case same
  /// The given numbers on each side.
  case explicit(top: Int, bottom: Int, left: Int, right: Int)

  /// The same number on all sides.
  public static func uniform(_ count: Int) -> Padding2D {
    explicit(top: count, bottom: count, left: count, right: count)
  }
}

/// The windows that a convolution or pooling layer moves over images.
struct Window2D: Sendable {
  let kernel: Size2D
  let stride: Size2D
  let padding: Padding2D
  let dilation: Size2D
  /// The layer, for messages.
  let operation: String

  /// Images [n, h, w, c] as patches [n, oh, ow, kh, kw, c], with 0 for padding.
  func patches(of images: Tensor) -> Tensor {
    guard images.rank == 4 else {
      stop(
        operation,
        "expected images [n, height, width, channels], found shape \(images.shape)")
    }
    let (vertical, horizontal) = axes(height: images.shape[1], width: images.shape[2])
    return images.patches(vertical, horizontal)
  }

  private func axes(height: Int, width: Int) -> (PatchAxis, PatchAxis) {
    // What does not make sense is refused by the axes; it must only not trap before.
    func sides(_ size: Int, _ kernel: Int, _ stride: Int, _ dilation: Int) -> (Int, Int) {
      guard stride > 0 else { return (0, 0) }
      let span = (kernel - 1) * dilation + 1
      let total = max(((size + stride - 1) / stride - 1) * stride + span - size, 0)
      return (total / 2, total - total / 2)
    }
    let (top, bottom, left, right): (Int, Int, Int, Int)
    switch padding {
    case .valid: (top, bottom, left, right) = (0, 0, 0, 0)
    case .explicit(let t, let b, let l, let r): (top, bottom, left, right) = (t, b, l, r)
    case .same:
      (top, bottom) = sides(height, kernel.height, stride.height, dilation.height)
      (left, right) = sides(width, kernel.width, stride.width, dilation.width)
    }
    return (
      PatchAxis(
        inputSize: height, kernelSize: kernel.height, stride: stride.height,
        dilation: dilation.height, before: top, after: bottom, operation: operation),
      PatchAxis(
        inputSize: width, kernelSize: kernel.width, stride: stride.width,
        dilation: dilation.width, before: left, after: right, operation: operation)
    )
  }
}
