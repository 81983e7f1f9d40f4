extension Tensor {
  /// The same elements in row-major order under another shape; one size may be −1 (inferred).
  ///
  /// - Precondition: The element counts agree.
  /// - Complexity: O(1).
  public func reshaped(to sizes: [Int]) -> Tensor {
    guard let unknown = sizes.firstIndex(of: -1) else { return reshaped(to: Shape(sizes)) }
    let known = sizes.reduce(-1, *)
    guard known > 0, elementCount % known == 0 else {
      stop("reshaped", "\(elementCount) elements of shape \(shape) do not fit \(sizes)")
    }
    var sizes = sizes
    sizes[unknown] = elementCount / known
    return reshaped(to: Shape(sizes))
  }

  /// The same elements in row-major order under another shape.
  ///
  /// - Precondition: The element counts agree.
  /// - Complexity: O(1).
  @_disfavoredOverload
  public func reshaped(to shape: Shape) -> Tensor {
    if shape == self.shape { return self }
    guard shape.elementCount == elementCount else {
      stop(
        "reshaped",
        """
        shape \(self.shape) has \(elementCount) elements, shape \(shape) has \
        \(shape.elementCount)
        """)
    }
    return apply(Reshape(shape), self)
  }

  /// The elements as one axis.
  public func flattened() -> Tensor { reshaped(to: Shape([elementCount])) }

  /// The tensor with a new axis of size 1.
  public func expandingShape(at axis: Int) -> Tensor {
    var sizes = Array(shape)
    let position = axis < 0 ? axis + rank + 1 : axis
    guard (0...rank).contains(position) else {
      stop("expandingShape", "position \(axis) does not exist in shape \(shape)")
    }
    sizes.insert(1, at: position)
    return reshaped(to: Shape(sizes))
  }

  /// The tensor without an axis of size 1.
  public func squeezingShape(at axis: Int) -> Tensor {
    let axis = shape.normalizedAxis(axis, "squeezingShape")
    guard shape[axis] == 1 else {
      stop("squeezingShape", "axis \(axis) of shape \(shape) has size \(shape[axis]), not 1")
    }
    return reshaped(to: shape.removing(axis: axis))
  }

  /// The tensor repeated to a larger shape under NumPy's rule.
  public func broadcast(to shape: Shape) -> Tensor {
    if shape == self.shape { return self }
    guard self.shape.broadcast(with: shape) == shape else {
      stop("broadcast", "shape \(self.shape) does not broadcast to \(shape)")
    }
    return apply(Broadcast(to: shape), self)
  }

  /// Sums over what broadcasting to this tensor's shape from `shape` repeated.
  ///
  /// - Precondition: `shape` broadcasts to this tensor's shape.
  public func summed(to shape: Shape) -> Tensor {
    if shape == self.shape { return self }
    guard self.shape.broadcast(with: shape) == self.shape else {
      stop("summed", "shape \(shape) does not broadcast to \(self.shape)")
    }
    let shift = rank - shape.rank
    var axes = AxisSet()
    for axis in 0..<rank where axis < shift || shape[axis - shift] != self.shape[axis] {
      axes.insert(axis)
    }
    return apply(Sum(axes), self).reshaped(to: shape)
  }

  /// The axes in another order: axis i of the result is axis `order[i]` of this tensor.
  public func permuted(to order: [Int]) -> Tensor {
    let axes = order.map { shape.normalizedAxis($0, "permuted") }
    guard Set(axes).count == rank, axes.count == rank else {
      stop("permuted", "\(order) is not an order of the \(rank) axes of shape \(shape)")
    }
    return axes == Array(0..<rank) ? self : apply(Permute(axes), self)
  }

  /// The transpose of a matrix, or of the last two axes.
  public func transposed() -> Tensor {
    guard rank >= 2 else { stop("transposed", "expected at least 2 axes, found shape \(shape)") }
    return permuted(to: Array(0..<rank - 2) + [rank - 1, rank - 2])
  }

  /// A range of one axis.
  public func slice(_ range: Range<Int>, alongAxis axis: Int) -> Tensor {
    let axis = shape.normalizedAxis(axis, "slice")
    guard range.lowerBound >= 0, range.upperBound <= shape[axis] else {
      stop("slice", "\(range) is not inside axis \(axis) of shape \(shape)")
    }
    if range.count == shape[axis] { return self }
    var grid = Grid(
      starts: Extents(repeating: 0), steps: Extents(repeating: 1), shape: shape)
    grid.starts[axis] = range.lowerBound
    grid.shape[axis] = range.count
    return apply(Slice(grid), self)
  }

  /// Elements selected per axis: an index (which drops the axis), a range, a stride, or `.all`;
  /// axes left out are taken whole.
  ///
  ///     x[0]            // first row
  ///     x[.all, 1..<3]  // two columns
  ///     x[stride(from: 0, to: 10, by: 2)]
  public subscript(_ indices: any TensorIndex...) -> Tensor {
    guard indices.count <= rank else {
      stop("subscript", "\(indices.count) indices for shape \(shape)")
    }
    var grid = Grid(starts: Extents(repeating: 0), steps: Extents(repeating: 1), shape: shape)
    var kept = Shape()
    for axis in 0..<rank {
      guard axis < indices.count else {
        kept.append(shape[axis])
        continue
      }
      let part = indices[axis].resolved(in: shape[axis])
      let last = part.start + Swift.max(0, part.count - 1) * part.step
      guard
        part.count == 0
          || (0..<shape[axis]).contains(part.start) && (0..<shape[axis]).contains(last)
      else {
        stop("subscript", "\(indices[axis]) is not inside axis \(axis) of shape \(shape)")
      }
      grid.starts[axis] = part.count == 0 ? 0 : part.start
      grid.steps[axis] = part.step
      grid.shape[axis] = part.count
      if !part.dropsAxis { kept.append(part.count) }
    }
    return apply(Slice(grid), self).reshaped(to: kept)
  }

  /// The elements of one axis in reverse order.
  public func reversed(alongAxis axis: Int) -> Tensor {
    let axis = shape.normalizedAxis(axis, "reversed")
    guard shape[axis] > 0 else { return self }
    var grid = Grid(starts: Extents(repeating: 0), steps: Extents(repeating: 1), shape: shape)
    grid.starts[axis] = shape[axis] - 1
    grid.steps[axis] = -1
    return apply(Slice(grid), self)
  }

  /// Zeros added around the tensor: one pair (before, after) per axis.
  public func padded(_ widths: [(before: Int, after: Int)]) -> Tensor {
    guard widths.count == rank, widths.allSatisfy({ $0.before >= 0 && $0.after >= 0 }) else {
      stop("padded", "expected \(rank) pairs of widths, none negative, found \(widths)")
    }
    var grid = Grid(starts: Extents(repeating: 0), steps: Extents(repeating: 1), shape: shape)
    var outer = shape
    for (axis, width) in widths.enumerated() {
      grid.starts[axis] = width.before
      outer[axis] = shape[axis] + width.before + width.after
    }
    return apply(Embed(grid, in: outer), self)
  }

  /// Tensors one after the other along an axis.
  ///
  /// - Precondition: At least one tensor; equal scalar types, ranks and sizes of the other axes.
  public static func concatenated(_ tensors: [Tensor], alongAxis axis: Int = 0) -> Tensor {
    guard let first = tensors.first else { stop("concatenated", "no tensors") }
    let axis = first.shape.normalizedAxis(axis, "concatenated")
    for tensor in tensors {
      if first.scalarType != tensor.scalarType {
        _ = Tensor.unified(first, tensor, "concatenated")
        return concatenated(tensors.map { $0.cast(to: .float64) }, alongAxis: axis)
      }
      guard tensor.rank == first.rank,
        tensor.shape.removing(axis: axis) == first.shape.removing(axis: axis)
      else {
        stop(
          "concatenated",
          "shapes \(first.shape) and \(tensor.shape) differ outside axis \(axis)")
      }
    }
    return tensors.count == 1 ? first : apply(Concatenate(axis: axis), tensors)[0]
  }

  /// Tensors of one shape along a new axis.
  public static func stacked(_ tensors: [Tensor], alongAxis axis: Int = 0) -> Tensor {
    concatenated(tensors.map { $0.expandingShape(at: axis) }, alongAxis: axis)
  }
}

/// What may stand in a tensor's subscript.
public protocol TensorIndex: Sendable {
  /// First index, distance and number of the selected elements of an axis of `size` elements.
  func resolved(in size: Int) -> (start: Int, step: Int, count: Int, dropsAxis: Bool)
}

extension Int: TensorIndex {
  /// An element; negative indices count from the end.
  public func resolved(in size: Int) -> (start: Int, step: Int, count: Int, dropsAxis: Bool) {
    (self < 0 ? self + size : self, 1, 1, true)
  }
}

extension Range: TensorIndex where Bound == Int {
  /// The elements of an axis of a size that this stands for.
  public func resolved(in size: Int) -> (start: Int, step: Int, count: Int, dropsAxis: Bool) {
    (lowerBound, 1, count, false)
  }
}

extension ClosedRange: TensorIndex where Bound == Int {
  /// The elements of an axis of a size that this stands for.
  public func resolved(in size: Int) -> (start: Int, step: Int, count: Int, dropsAxis: Bool) {
    (lowerBound, 1, count, false)
  }
}

extension PartialRangeFrom: TensorIndex where Bound == Int {
  /// The elements of an axis of a size that this stands for.
  public func resolved(in size: Int) -> (start: Int, step: Int, count: Int, dropsAxis: Bool) {
    (lowerBound, 1, Swift.max(0, size - lowerBound), false)
  }
}

extension PartialRangeUpTo: TensorIndex where Bound == Int {
  /// The elements of an axis of a size that this stands for.
  public func resolved(in size: Int) -> (start: Int, step: Int, count: Int, dropsAxis: Bool) {
    (0, 1, upperBound, false)
  }
}

extension StrideTo: TensorIndex where Element == Int {
  /// The elements of an axis of a size that this stands for.
  public func resolved(in size: Int) -> (start: Int, step: Int, count: Int, dropsAxis: Bool) {
    let elements = Array(self)
    let step = elements.count > 1 ? elements[1] - elements[0] : 1
    return (elements.first ?? 0, step, elements.count, false)
  }
}

/// The whole of an axis.
public struct WholeAxis: TensorIndex {
  /// The elements of an axis of a size that this stands for.
  public func resolved(in size: Int) -> (start: Int, step: Int, count: Int, dropsAxis: Bool) {
    (0, 1, size, false)
  }
}

extension TensorIndex where Self == WholeAxis {
  /// The whole of an axis.
  public static var all: WholeAxis { WholeAxis() }
}
