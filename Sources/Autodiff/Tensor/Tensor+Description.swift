extension Tensor: CustomStringConvertible {
  /// Values, shape and scalar type; of an axis longer than 8 the first and last three entries.
  ///
  /// A tensor that is being differentiated says so.
  public var description: String {
    let suffix = isTraced ? ", traced" : ""
    let kind = "Tensor \(shape) \(scalarType)\(suffix)"
    guard storage !== Storage.absent || elementCount == 0 else { return "\(kind) without values" }
    var value = self
    if tracing != nil { value = with(trace: nil) }
    let printer = TensorPrinter(value)
    return rank == 0 ? "\(kind): \(printer.text())" : "\(kind)\n\(printer.text())"
  }
}

/// Formats the elements of a tensor as nested, aligned brackets.
private struct TensorPrinter {
  private static let longestFullAxis = 8
  private static let edgeCount = 3

  private let shape: Shape
  private let strides: Extents
  private let texts: (Int) -> String

  init(_ tensor: Tensor) {
    shape = tensor.shape
    strides = tensor.shape.strides
    let bytes = tensor.bytes
    texts =
      switch tensor.scalarType {
      case .float32: { Self.format(Double(bytes.load(fromByteOffset: $0 * 4, as: Float.self)), 6) }
      case .float64: { Self.format(bytes.load(fromByteOffset: $0 * 8, as: Double.self), 6) }
      case .int32: { String(bytes.load(fromByteOffset: $0 * 4, as: Int32.self)) }
      case .bool: { bytes.load(fromByteOffset: $0, as: UInt8.self) != 0 ? "true" : "false" }
      }
  }

  func text() -> String {
    var width = 0
    forEachShownOffset(0, 0) { width = max(width, texts($0).count) }
    return text(0, 0, width, indent: 1)
  }

  /// Indices of an axis that are shown; nil stands for the omitted middle.
  private func shownIndices(_ axis: Int) -> [Int?] {
    let size = shape[axis]
    guard size > Self.longestFullAxis else { return Array(0..<size) }
    return Array(0..<Self.edgeCount) + [nil] + Array(size - Self.edgeCount..<size)
  }

  private func forEachShownOffset(_ axis: Int, _ offset: Int, _ body: (Int) -> Void) {
    guard axis < shape.rank else { return body(offset) }
    for case let index? in shownIndices(axis) {
      forEachShownOffset(axis + 1, offset + index * strides[axis], body)
    }
  }

  private func text(_ axis: Int, _ offset: Int, _ width: Int, indent: Int) -> String {
    guard axis < shape.rank else {
      let element = texts(offset)
      return String(repeating: " ", count: max(0, width - element.count)) + element
    }
    let parts = shownIndices(axis).map { index in
      index.map { text(axis + 1, offset + $0 * strides[axis], width, indent: indent + 1) } ?? "…"
    }
    let isInnermost = axis == shape.rank - 1
    let separator = isInnermost ? ", " : ",\n" + String(repeating: " ", count: indent)
    return "[" + parts.joined(separator: separator) + "]"
  }

  /// About `digits` significant digits, shortest form.
  private static func format(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, value != 0 else { return "\(value)" }
    let magnitude = value.magnitude
    var exponent = 0
    var scale = 1.0
    while magnitude / scale >= 10, exponent < 308 { scale *= 10; exponent += 1 }
    while magnitude / scale < 1, exponent > -323 { scale /= 10; exponent -= 1 }
    var unit = 1.0
    for _ in 1..<digits { unit *= 10 }
    var mantissa = (value / scale * unit).rounded() / unit
    // Rounding, of the scale too, may carry into another digit.
    if mantissa.magnitude >= 10 {
      mantissa /= 10
      exponent += 1
    }
    guard exponent < -4 || exponent >= 7 else {
      var decimals = 1.0
      for _ in 0..<max(0, digits - 1 - exponent) { decimals *= 10 }
      return "\((value * decimals).rounded() / decimals)"
    }
    return "\(mantissa)e\(exponent)"
  }
}
