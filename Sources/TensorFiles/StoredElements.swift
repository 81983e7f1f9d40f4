import Autodiff

/// Why bytes are no elements of a tensor.
struct InvalidElement {
  /// The element, counted in row-major order.
  let index: Int
  let value: String
  let expected: String
}

/// Row-major elements in a file's representation, to be converted to a tensor.
struct StoredElements {
  let type: StoredScalarType
  let isBigEndian: Bool

  private static let hostIsBigEndian = UInt16(1).bigEndian == 1

  private var isSwapped: Bool { isBigEndian != Self.hostIsBigEndian }

  /// The tensor of a shape that the bytes fill exactly.
  ///
  /// - Throws: What `error` makes of an element that is none.
  func tensor(
    _ bytes: ArraySlice<UInt8>, shape: Shape, error: (InvalidElement) -> FileError
  ) throws(FileError) -> Tensor {
    var failure: InvalidElement?
    let tensor = Tensor(shape, type.scalarType) { target in
      bytes.withUnsafeBytes { failure = convert($0, to: target) }
    }
    if let failure { throw error(failure) }
    return tensor
  }

  private func convert(
    _ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer
  ) -> InvalidElement? {
    switch type {
    case .bool: return copyFlags(bytes, to: target)
    case .int8: return narrow(Int8.self, bytes, target)
    case .uint8: return narrow(UInt8.self, bytes, target)
    case .int16: return narrow(Int16.self, bytes, target)
    case .uint16: return narrow(UInt16.self, bytes, target)
    case .int32: copy(UInt32.self, bytes, target)
    case .uint32: return narrow(UInt32.self, bytes, target)
    case .int64: return narrow(Int64.self, bytes, target)
    case .uint64: return narrow(UInt64.self, bytes, target)
    case .float16: widen(bytes, target, float32Bits(ofHalf:))
    case .bfloat16: widen(bytes, target) { UInt32($0) << 16 }
    case .float32: copy(UInt32.self, bytes, target)
    case .float64: copy(UInt64.self, bytes, target)
    }
    return nil
  }

  private func load<Word: FixedWidthInteger>(
    _ type: Word.Type, _ bytes: UnsafeRawBufferPointer, _ index: Int
  ) -> Word {
    let word = bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: type)
    return isSwapped ? word.byteSwapped : word
  }

  /// Copies bits, so that NaN keeps its payload.
  private func copy<Word: FixedWidthInteger>(
    _ word: Word.Type, _ bytes: UnsafeRawBufferPointer, _ target: UnsafeMutableRawPointer
  ) {
    guard let base = bytes.baseAddress else { return }
    target.copyMemory(from: base, byteCount: bytes.count)
    guard isSwapped else { return }
    let words = target.assumingMemoryBound(to: Word.self)
    for index in 0..<(bytes.count / MemoryLayout<Word>.size) {
      words[index] = words[index].byteSwapped
    }
  }

  /// A byte that is neither 0 nor 1 is no `Bool` in Swift's memory, so it is refused.
  private func copyFlags(
    _ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer
  ) -> InvalidElement? {
    if let index = bytes.firstIndex(where: { $0 > 1 }) {
      return InvalidElement(index: index, value: "\(bytes[index])", expected: "0 or 1")
    }
    copy(UInt8.self, bytes, target)
    return nil
  }

  private func narrow<Word: FixedWidthInteger>(
    _ word: Word.Type, _ bytes: UnsafeRawBufferPointer, _ target: UnsafeMutableRawPointer
  ) -> InvalidElement? {
    let numbers = target.assumingMemoryBound(to: Int32.self)
    for index in 0..<(bytes.count / MemoryLayout<Word>.size) {
      let value = load(word, bytes, index)
      guard let narrow = Int32(exactly: value) else {
        return InvalidElement(index: index, value: "\(value)", expected: "a number of 32 bits")
      }
      numbers[index] = narrow
    }
    return nil
  }

  private func widen(
    _ bytes: UnsafeRawBufferPointer, _ target: UnsafeMutableRawPointer,
    _ bits: (UInt16) -> UInt32
  ) {
    let numbers = target.assumingMemoryBound(to: UInt32.self)
    for index in 0..<(bytes.count / 2) { numbers[index] = bits(load(UInt16.self, bytes, index)) }
  }
}

/// The bits of the `Float` that equals a half-precision number (IEEE 754 binary16).
///
/// By hand, because `Float16` does not exist on every platform.
func float32Bits(ofHalf half: UInt16) -> UInt32 {
  let sign = UInt32(half & 0x8000) << 16
  let exponent = UInt32(half >> 10) & 0x1F
  let fraction = UInt32(half) & 0x3FF
  if exponent == 0x1F { return sign | 0x7F80_0000 | fraction << 13 }
  if exponent > 0 { return sign | (exponent + 112) << 23 | fraction << 13 }
  // Zero or subnormal: fraction · 2⁻²⁴, which is a normal `Float`.
  return sign | (Float(fraction) * 0x1p-24).bitPattern
}

/// The elements of a column-major array in row-major order.
func rowMajor(_ bytes: [UInt8], shape: [Int], elementByteCount size: Int) -> [UInt8] {
  guard shape.count > 1, !bytes.isEmpty else { return bytes }
  var strides: [Int] = []
  var stride = size
  for extent in shape {
    strides.append(stride)
    stride *= extent
  }
  var result: [UInt8] = []
  result.reserveCapacity(bytes.count)
  var position = [Int](repeating: 0, count: shape.count)
  var offset = 0
  while result.count < bytes.count {
    for byte in 0..<size { result.append(bytes[offset + byte]) }
    // Counts up like an odometer, the last axis fastest.
    var axis = shape.count - 1
    while axis >= 0 {
      position[axis] += 1
      offset += strides[axis]
      if position[axis] < shape[axis] { break }
      offset -= strides[axis] * shape[axis]
      position[axis] = 0
      axis -= 1
    }
  }
  return result
}

/// The bytes of a tensor's elements, in row-major order and little-endian.
func littleEndianBytes(of tensor: Tensor) -> [UInt8] {
  switch tensor.scalarType {
  case .float32: bytes(of: tensor.elements(as: Float.self).map { $0.bitPattern.littleEndian })
  case .float64: bytes(of: tensor.elements(as: Double.self).map { $0.bitPattern.littleEndian })
  case .int32: bytes(of: tensor.elements(as: Int32.self).map { $0.littleEndian })
  case .bool: bytes(of: tensor.elements(as: Bool.self))
  }
}

private func bytes<Element>(of elements: [Element]) -> [UInt8] {
  elements.withUnsafeBytes { [UInt8]($0) }
}
