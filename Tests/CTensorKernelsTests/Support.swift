import CTensorKernels
import TestSupport

/// An element type of the kernels.
protocol Element: BitwiseCopyable, Equatable, Sendable {
  static var type: tk_type { get }
  static func random(using generator: inout SplitMix64) -> Self
}

extension Float: Element {
  static var type: tk_type { TK_FLOAT32 }
  static func random(using generator: inout SplitMix64) -> Float {
    Float.random(in: -2...2, using: &generator)
  }
}

extension Double: Element {
  static var type: tk_type { TK_FLOAT64 }
  static func random(using generator: inout SplitMix64) -> Double {
    Double.random(in: -2...2, using: &generator)
  }
}

extension Int32: Element {
  static var type: tk_type { TK_INT32 }
  static func random(using generator: inout SplitMix64) -> Int32 {
    Int32.random(in: -3...3, using: &generator)
  }
}

extension UInt8: Element {
  static var type: tk_type { TK_BOOL }
  static func random(using generator: inout SplitMix64) -> UInt8 {
    UInt8.random(in: 0...1, using: &generator)
  }
}

func randomElements<T: Element>(_ count: Int, using generator: inout SplitMix64) -> [T] {
  (0..<count).map { _ in T.random(using: &generator) }
}

/// The result of a kernel that fills `count` elements, each preset to `initial`.
func filled<T>(_ count: Int, with initial: T, by body: (UnsafeMutablePointer<T>) -> Void) -> [T] {
  [T](unsafeUninitializedCapacity: count) { buffer, initialised in
    buffer.initialize(repeating: initial)
    // An empty array has no storage of its own; the kernels must not touch what they are given.
    if let base = buffer.baseAddress { body(base) }
    initialised = count
  }
}

/// A shape with the strides of one operand that may be broadcast along some dimensions.
struct Layout {
  var strides: [Int]
  var storage: Int

  /// Dense strides over the dimensions that are not broadcast.
  init(dims: [Int], broadcast: Set<Int>) {
    strides = Array(repeating: 0, count: dims.count)
    storage = 1
    for d in dims.indices.reversed() where !broadcast.contains(d) {
      strides[d] = storage
      storage *= dims[d]
    }
  }
}

/// All multi-indices of a shape, in row-major order.
func indices(of dims: [Int]) -> [[Int]] {
  dims.reduce([[]]) { partial, dim in
    partial.flatMap { prefix in (0..<dim).map { prefix + [$0] } }
  }
}

func offset(_ index: [Int], _ strides: [Int]) -> Int {
  zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
}

/// Small random shapes of every rank, some with empty or single dimensions.
func randomDims(using generator: inout SplitMix64) -> [Int] {
  let rank = Int.random(in: 0...5, using: &generator)
  return (0..<rank).map { d in
    let largest = d == rank - 1 ? 40 : 4
    return Int.random(in: 0...99, using: &generator) < 3
      ? 0 : Int.random(in: 1...largest, using: &generator)
  }
}

/// A random set of dimensions to broadcast.
func randomBroadcast(rank: Int, using generator: inout SplitMix64) -> Set<Int> {
  Set((0..<rank).filter { _ in Int.random(in: 0..<3, using: &generator) == 0 })
}
