import CTensorKernels

/// The sizes of a tensor's axes, outermost first; the empty shape is that of a scalar.
///
/// Stored inline, so that making a tensor allocates nothing for it: at most `Shape.maximumRank`
/// axes, each shorter than 2³¹.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, RandomAccessCollection {
  /// The largest supported number of axes.
  public static var maximumRank: Int { Int(TK_MAX_RANK) }

  // Two sizes to a word, and no SIMD type: arrays of anything aligned to more than 8 bytes take the
  // slow path of the allocator, and operations pass their operands in arrays.
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  private var storedRank: UInt8 = 0

  private func size(_ axis: Int) -> Int {
    let word =
      switch axis >> 1 {
      case 0: words.0
      case 1: words.1
      case 2: words.2
      default: words.3
      }
    return Int(UInt32(truncatingIfNeeded: word >> UInt64(32 * (axis & 1))))
  }

  private mutating func setSize(_ axis: Int, _ size: Int) {
    let shift = UInt64(32 * (axis & 1))
    func merged(_ word: UInt64) -> UInt64 {
      word & ~(UInt64(UInt32.max) << shift) | UInt64(size) << shift
    }
    switch axis >> 1 {
    case 0: words.0 = merged(words.0)
    case 1: words.1 = merged(words.1)
    case 2: words.2 = merged(words.2)
    default: words.3 = merged(words.3)
    }
  }

  public static func == (a: Shape, b: Shape) -> Bool {
    a.words == b.words && a.storedRank == b.storedRank
  }

  public func hash(into hasher: inout Hasher) {
    for size in self { hasher.combine(size) }
  }

  /// The shape of a scalar.
  public init() {}

  /// The shape of sizes that are written out, outermost first.
  public init(arrayLiteral elements: Int...) { self.init(elements) }

  /// Creates a shape from axis sizes.
  ///
  /// - Precondition: At most `maximumRank` sizes, each in `0..<2³¹`.
  public init(_ sizes: some Sequence<Int>) {
    for size in sizes { append(size) }
  }

  /// The number of axes.
  public var rank: Int { Int(storedRank) }

  /// The number of elements: the product of the sizes, 1 for a scalar.
  public var elementCount: Int {
    var product = 1
    for axis in 0..<rank { product *= size(axis) }
    return product
  }

  /// 0, the outermost axis.
  public var startIndex: Int { 0 }
  /// The rank.
  public var endIndex: Int { rank }

  /// The size of an axis in `0..<rank`.
  public subscript(axis: Int) -> Int {
    get { size(axis) }
    set {
      guard axis < rank, newValue >= 0, newValue <= Int(Int32.max) else {
        stop("Shape", "axis \(axis) of a shape of rank \(rank) cannot have size \(newValue)")
      }
      setSize(axis, newValue)
    }
  }

  /// Adds an innermost axis.
  public mutating func append(_ size: Int) {
    guard rank < Self.maximumRank else {
      stop("Shape", "a tensor has at most \(Self.maximumRank) axes")
    }
    storedRank += 1
    self[rank - 1] = size
  }

  /// The shape without one axis, or with it at size 1.
  public func removing(axis: Int, keepingDimension: Bool = false) -> Shape {
    var result = Shape()
    for (index, size) in enumerated() {
      if index != axis { result.append(size) } else if keepingDimension { result.append(1) }
    }
    return result
  }

  /// Distances in elements between neighbours along each axis of a dense row-major tensor.
  package var strides: Extents {
    var result = Extents(repeating: 0)
    var step = 1
    for axis in stride(from: rank - 1, through: 0, by: -1) {
      result[axis] = step
      step *= size(axis)
    }
    return result
  }

  /// The axis counted from the front, for an axis that may count from the back (−1 is the last).
  package func normalizedAxis(_ axis: Int, _ operation: String) -> Int {
    let normalized = axis < 0 ? axis + rank : axis
    guard normalized >= 0, normalized < rank else {
      stop(operation, "axis \(axis) does not exist in shape \(self), which has rank \(rank)")
    }
    return normalized
  }

  /// The common shape of two operands under NumPy's broadcasting rule, or nil where a pair of
  /// sizes, aligned from the right, differs and neither is 1.
  public func broadcast(with other: Shape) -> Shape? {
    if self == other { return self }
    let rank = Swift.max(self.rank, other.rank)
    var result = Shape()
    for axis in 0..<rank {
      let mine = axis - (rank - self.rank)
      let theirs = axis - (rank - other.rank)
      let a = mine >= 0 ? self[mine] : 1
      let b = theirs >= 0 ? other[theirs] : 1
      guard a == b || a == 1 || b == 1 else { return nil }
      result.append(a == 1 ? b : a)
    }
    return result
  }
}

extension Shape: CustomStringConvertible {
  /// The sizes in brackets.
  public var description: String { "[" + map(String.init).joined(separator: ", ") + "]" }
}

/// One integer per axis, inline: sizes, strides or offsets in elements.
package typealias Extents = SIMD8<Int>
