import CTensorKernels
import TestSupport
import Testing

@Suite("The built-in matrix product") struct GemmTests {
  private struct Problem: CustomStringConvertible {
    var m: Int, n: Int, k: Int
    var transposeA: Bool, transposeB: Bool
    var margin: Int
    var alpha: Double, beta: Double

    var description: String {
      "\(m)x\(n)x\(k) \(transposeA) \(transposeB) margin \(margin) \(alpha) \(beta)"
    }
  }

  private func check<T: Element & BinaryFloatingPoint>(
    _ p: Problem, _: T.Type, using generator: inout SplitMix64
  ) {
    let (m, n, k) = (p.m, p.n, p.k)
    let lda = (p.transposeA ? m : k) + p.margin
    let ldb = (p.transposeB ? k : n) + p.margin
    let ldc = n + p.margin
    let a: [T] = randomElements((p.transposeA ? k : m) * lda, using: &generator)
    let b: [T] = randomElements((p.transposeB ? n : k) * ldb, using: &generator)
    var initial: [T] = randomElements(m * ldc, using: &generator)
    // With beta 0, what is in C must not be read.
    if p.beta == 0 {
      for i in 0..<m { for j in 0..<n { initial[i * ldc + j] = .nan } }
    }
    var c = initial
    tk_gemm(
      T.type, p.transposeA ? 1 : 0, p.transposeB ? 1 : 0, m, n, k, p.alpha, a, lda, b, ldb, p.beta,
      &c, ldc)
    var worst = 0.0
    for i in 0..<m {
      for j in 0..<ldc {
        guard j < n else {
          if c[i * ldc + j] != initial[i * ldc + j] { worst = .infinity }
          continue
        }
        var sum = 0.0, size = 0.0
        for q in 0..<k {
          let x = Double(a[p.transposeA ? q * lda + i : i * lda + q])
          let y = Double(b[p.transposeB ? j * ldb + q : q * ldb + j])
          sum += x * y
          size += abs(x * y)
        }
        let before = p.beta == 0 ? 0 : p.beta * Double(initial[i * ldc + j])
        let exact = p.alpha * sum + before
        let scale = abs(p.alpha) * size + abs(before)
        let error = abs(Double(c[i * ldc + j]) - exact)
        if !(error <= 1e-300) { worst = max(worst, scale > 0 ? error / scale : .infinity) }
        if c[i * ldc + j].isNaN { worst = .infinity }
      }
    }
    // Sums of k random products: the error of a running sum, which k bounds.
    #expect(worst <= Double(T.ulpOfOne) * Double(min(k, 300) + 4), "\(p)")
  }

  private func both(_ problem: Problem, using generator: inout SplitMix64) {
    check(problem, Float.self, using: &generator)
    check(problem, Double.self, using: &generator)
  }

  @Test("Every transpose of many sizes") func everyTransposeOfManySizes() {
    var generator = SplitMix64(seed: 60)
    let sizes = [0, 1, 2, 3, 5, 8, 12, 13, 16, 17, 31, 33, 64, 70]
    for _ in 0..<500 {
      both(
        Problem(
          m: sizes.randomElement(using: &generator)!, n: sizes.randomElement(using: &generator)!,
          k: sizes.randomElement(using: &generator)!,
          transposeA: Bool.random(using: &generator), transposeB: Bool.random(using: &generator),
          margin: [0, 0, 3].randomElement(using: &generator)!,
          alpha: [1, 1, -0.5, 0].randomElement(using: &generator)!,
          beta: [0, 0, 1, 0.25].randomElement(using: &generator)!),
        using: &generator)
    }
  }

  /// Sizes around the blocks of the cache.
  @Test(
    "Products at the edges of blocks",
    arguments: [(97, 65, 257), (200, 33, 513), (5, 4100, 20), (100, 3, 600), (3, 100, 600)])
  func blockEdges(_ m: Int, _ n: Int, _ k: Int) {
    var generator = SplitMix64(seed: 61)
    for transposes in 0..<4 {
      both(
        Problem(
          m: m, n: n, k: k, transposeA: transposes & 1 != 0, transposeB: transposes & 2 != 0,
          margin: 1, alpha: 1.5, beta: transposes == 1 ? 0 : -1),
        using: &generator)
    }
  }

  /// Threads take rows of C; the bits may not depend on which.
  @Test("Rows may be split", arguments: [(40, 3, 7), (40, 20, 33), (30, 70, 300), (9, 2, 2)])
  func rowsMayBeSplit(_ m: Int, _ n: Int, _ k: Int) {
    var generator = SplitMix64(seed: 62)
    let a: [Float] = randomElements(m * k, using: &generator)
    let b: [Float] = randomElements(k * n, using: &generator)
    let initial: [Float] = randomElements(m * n, using: &generator)
    for (alpha, beta) in [(1.0, 0.0), (0.3, 0.7)] {
      var whole = initial
      tk_gemm(TK_FLOAT32, 0, 0, m, n, k, alpha, a, k, b, n, beta, &whole, n)
      for height in [1, 2, 7] {
        var parts = initial
        for i in stride(from: 0, to: m, by: height) {
          parts.withUnsafeMutableBufferPointer {
            tk_gemm(
              TK_FLOAT32, 0, 0, min(height, m - i), n, k, alpha, Array(a[(i * k)...]), k, b, n,
              beta, $0.baseAddress! + i * n, n)
          }
        }
        #expect(parts == whole)
      }
    }
  }
}
