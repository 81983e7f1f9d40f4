import Autodiff

/// Where images come from: drawn, or read from the data set.
public protocol SpriteSource: Sendable {
  /// The images of latents, in their order.
  func images(of latents: [SpriteLatents]) -> SpriteImages
}

/// Binary images of 64 × 64 pixels, one bit for each pixel.
public struct SpriteImages: Sendable, Equatable {
  /// How many pixels an image has along each side.
  public static let side = 64
  /// How many pixels an image has.
  public static let pixelCount = side * side

  /// 64 rows for each image; the highest bit is the leftmost pixel.
  private(set) var rows: [UInt64]

  /// Images from their rows, 64 for each image, the highest bit the leftmost pixel.
  ///
  /// - Precondition: The number of rows is a multiple of 64.
  public init(rows: [UInt64]) {
    guard rows.count.isMultiple(of: Self.side) else {
      fatalError("SpriteImages: expected a multiple of 64 rows, found \(rows.count)")
    }
    self.rows = rows
  }

  /// How many images there are.
  public var count: Int { rows.count / Self.side }

  /// The 64 rows of one image, from the top; the highest bit is the leftmost pixel.
  public subscript(image: Int) -> ArraySlice<UInt64> {
    rows[image * Self.side..<(image + 1) * Self.side]
  }

  /// How many pixels of an image are lit.
  public func litCount(_ image: Int) -> Int {
    self[image].reduce(0) { $0 + $1.nonzeroBitCount }
  }

  /// How many pixels of an image differ from those of another.
  public func mismatchCount(_ image: Int, from other: ArraySlice<UInt64>) -> Int {
    zip(self[image], other).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
  }

  /// The pixels of one image, 0 or 1, row after row from the top left.
  public func pixels(_ image: Int) -> [UInt8] { unpacked(image..<image + 1, zero: 0, one: 1) }

  /// Images as rows of numbers 0 and 1, [images, 4096]: pixel (row, column) is element
  /// 64 · row + column.
  public func tensor(_ range: Range<Int>, _ scalarType: ScalarType = .float32) -> Tensor {
    let shape: Shape = [range.count, Self.pixelCount]
    switch scalarType {
    case .float32: return Tensor(unpacked(range, zero: Float(0), one: 1), shape: shape)
    case .float64: return Tensor(unpacked(range, zero: Double(0), one: 1), shape: shape)
    case .int32, .bool:
      fatalError("SpriteImages.tensor: expected a floating-point type, found \(scalarType)")
    }
  }

  @inline(__always)
  private func unpacked<Scalar: BitwiseCopyable>(
    _ range: Range<Int>, zero: Scalar, one: Scalar
  ) -> [Scalar] {
    let first = range.lowerBound * Self.side
    let elementCount = range.count * Self.pixelCount
    return [Scalar](unsafeUninitializedCapacity: elementCount) { buffer, count in
      rows.withUnsafeBufferPointer { rows in
        for row in 0..<range.count * Self.side {
          var bits = rows[first + row]
          for column in 0..<Self.side {
            buffer[row * Self.side + column] = Int64(bitPattern: bits) < 0 ? one : zero
            bits &<<= 1
          }
        }
      }
      count = elementCount
    }
  }
}
