import Autodiff
import Testing

@Suite("Tensors")
struct TensorTests {
  @Test("Creation gives the elements, shape and scalar type asked for")
  func creation() {
    #expect(Tensor([1, 2, 3]).scalarType == .float64)
    #expect(Tensor([1, 2, 3] as [Float]).scalarType == .float32)
    #expect(Tensor(indices: [4, 5]).elements(as: Int32.self) == [4, 5])
    #expect(Tensor(mask: [true, false]).elements(as: Bool.self) == [true, false])
    #expect(Tensor(rows: [[1, 2], [3, 4]]).shape == [2, 2])
    #expect(Tensor(7).shape == [])
    #expect(Tensor.zeros([2, 0]).elementCount == 0)
    #expect(Tensor.identity(2, .float32).scalars == [1, 0, 0, 1])
    #expect(Tensor.range(4, .int32).scalars == [0, 1, 2, 3])
    #expect(Tensor.linearSpace(from: -1, to: 1, count: 5).scalars == [-1, -0.5, 0, 0.5, 1])
    #expect(Tensor.linearSpace(from: 3, to: 4, count: 1).scalars == [3])
    // Depth squared would be 72 terabytes.
    let deep = Tensor.oneHot(Tensor(indices: [7]), depth: 3_000_000)
    #expect(deep.sum().scalar == 1 && deep[0, 7].scalar == 1)
    let hot = Tensor.oneHot(Tensor(indices: [2, 0, 1, 2], shape: [2, 2]), depth: 3, .float32)
    #expect(hot.shape == [2, 2, 3])
    #expect(hot.scalars == [0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1])
    #expect(Tensor(repeating: 2.5, shape: [2], .int32).scalars == [2, 2])
  }

  @Test("Value semantics: a copy keeps its value")
  func valueSemantics() {
    var a = Tensor([1, 2])
    let b = a
    a += Tensor([1, 1])
    a *= 2.0
    #expect(a.scalars == [4, 6])
    #expect(b.scalars == [1, 2])
  }

  @Test("Scalars adopt the scalar type, and types convert as documented")
  func scalarTypes() {
    let x = Tensor([1.5, -2.5] as [Float])
    #expect((2 * x - 1).scalarType == .float32)
    #expect((1 / x).elements(as: Float.self) == [1 / 1.5, 1 / -2.5])
    #expect(x.cast(to: .int32).scalars == [1, -2])
    #expect(x.cast(to: .bool).elements(as: Bool.self) == [true, true])
    #expect(Tensor([Double.nan, 1e20]).cast(to: .int32).scalars == [0, Double(Int32.max)])
    #expect((x .> 0).scalarType == .bool)
    #expect((Tensor(indices: [3]) * Tensor(indices: [4])).scalars == [12])
  }

  @Test("Broadcasting follows NumPy")
  func broadcasting() {
    let column = Tensor([1, 2]).reshaped(to: [2, 1])
    let row = Tensor([10, 20, 30])
    #expect((column + row).scalars == [11, 21, 31, 12, 22, 32])
    #expect((column + row).shape == [2, 3])
    #expect(Shape([2, 1]).broadcast(with: [3]) == [2, 3])
    #expect(Shape([0, 1]).broadcast(with: [1, 2]) == [0, 2])
    #expect(Shape([2]).broadcast(with: [3]) == nil)
    // Many axes, none of which merge.
    let a = Tensor.range(8).reshaped(to: [2, 1, 2, 1, 2])
    let b = Tensor.range(4).reshaped(to: [1, 2, 1, 2, 1])
    let sum = a + b
    #expect(sum.shape == [2, 2, 2, 2, 2])
    for i in 0..<2 {
      for j in 0..<2 {
        for k in 0..<2 {
          for l in 0..<2 {
            for m in 0..<2 {
              let expected = Double(4 * i + 2 * k + m + 2 * j + l)
              #expect(sum[i, j, k, l, m].scalar == expected)
            }
          }
        }
      }
    }
  }

  @Test("Large elementwise work gives the same bits on any number of threads")
  func threads() {
    let x = PrimitiveCatalogue.values([300, 1000])
    let row = PrimitiveCatalogue.values([1000], seed: 2)
    func results() -> [Tensor] { [x * row, tanh(x), x.sum(), x.sum(alongAxis: 0), x.max()] }
    let before = Parallelism.threadCount
    defer { Parallelism.threadCount = before }
    Parallelism.threadCount = 1
    let alone = results()
    Parallelism.threadCount = 3
    for (a, b) in zip(alone, results()) { #expect(a.isBitwiseEqual(to: b)) }
    // And the product is right wherever a chunk begins.
    let rowScalars = row.scalars
    let expected = x.scalars.enumerated().map { $1 * rowScalars[$0 % 1000] }
    #expect(alone[0].scalars == expected)
  }

  @Test("Buffers are reused, and drained on request")
  func bufferPool() {
    let pool = BufferPool(capacity: 1 << 20)
    let first = pool.take(byteCount: 100_000)
    pool.give(first, byteCount: 100_000)
    #expect(pool.cachedByteCount >= 100_000)
    let second = pool.take(byteCount: 100_000)
    #expect(first == second)
    #expect(pool.cachedByteCount == 0)
    // Over capacity: returned to the system at once.
    pool.give(pool.take(byteCount: 2 << 20), byteCount: 2 << 20)
    #expect(pool.cachedByteCount == 0)
    pool.give(second, byteCount: 100_000)
    pool.drain()
    #expect(pool.cachedByteCount == 0)
  }
}
