import Autodiff
import CTensorKernels
import Testing

@Suite("Linear algebra") struct LinearAlgebraTests {
  static let sizes = [0, 1, 2, 3, 7, 15, 16, 17, 33, 64, 65, 130]

  func positiveDefinite(_ n: Int, seed: UInt64) -> TestMatrix {
    let r = TestMatrix.random(n, n, seed: seed)
    let square = r * r.transposed
    return TestMatrix(n, n) { square[$0, $1] + ($0 == $1 ? 1 : 0) }
  }

  // MARK: Product

  @Test("Products of every shape and transpose", arguments: TestType.all, testBackends)
  func product(_ type: TestType, _ backend: LinearAlgebra.Backend) {
    let shapes = [
      (1, 1, 1), (0, 3, 2), (3, 0, 2), (3, 2, 0), (5, 1, 7), (1, 5, 7), (1, 1, 9), (4, 5, 6),
      (17, 33, 9), (100, 70, 130),
    ]
    for (m, n, k) in shapes {
      for (transposeA, transposeB) in [(false, false), (true, false), (false, true), (true, true)] {
        var a = type.rounded(.random(m, k, seed: 1))
        var b = type.rounded(.random(k, n, seed: 2))
        let c0 = type.rounded(.random(m, n, seed: 3))
        let product = a * b
        if transposeA { a = a.transposed }
        if transposeB { b = b.transposed }
        for (alpha, beta) in [(1.0, 0.0), (-0.5, 1.0), (2.0, -1.5)] {
          // With beta = 0 whatever C held must not matter.
          var c = beta == 0 ? TestMatrix(m, n) { _, _ in .nan } : c0
          type.withBuffer(&a, padding: 1) { a, lda in
            type.withBuffer(&b, padding: 2) { b, ldb in
              type.withBuffer(&c, padding: 3) { c, ldc in
                LinearAlgebra.gemm(
                  type.type, transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k,
                  alpha: alpha, a: a, lda: lda, b: b, ldb: ldb, beta: beta, c: c, ldc: ldc,
                  backend: backend)
              }
            }
          }
          let expected = TestMatrix(m, n) {
            alpha * product[$0, $1] + (beta == 0 ? 0 : beta * c0[$0, $1])
          }
          let bound = 4 * Double(k + 2) * type.epsilon
          #expect((c - expected).elements.allSatisfy { abs($0) <= bound })
        }
      }
    }
  }

  @Test("Product is the same on any number of threads") func productIsTheSameOnAnyNumberOfThreads()
  {
    func multiply() -> [Double] {
      let type = TestType.all[1]
      var a = TestMatrix.random(300, 200, seed: 4)
      var b = TestMatrix.random(200, 150, seed: 5)
      var c = TestMatrix(300, 150) { _, _ in 0 }
      type.withBuffer(&a) { a, lda in
        type.withBuffer(&b) { b, ldb in
          type.withBuffer(&c) { c, ldc in
            LinearAlgebra.gemm(
              type.type, m: 300, n: 150, k: 200, a: a, lda: lda, b: b, ldb: ldb, c: c, ldc: ldc,
              backend: .builtIn)
          }
        }
      }
      return c.elements
    }
    let serial = withThreadCount(1, multiply)
    #expect(withThreadCount(2, multiply) == serial)
    #expect(withThreadCount(3, multiply) == serial)
  }

  // MARK: Cholesky

  @Test("Cholesky factors multiply back", arguments: TestType.all, testBackends)
  func cholesky(_ type: TestType, _ backend: LinearAlgebra.Backend) {
    for n in Self.sizes {
      let a = type.rounded(positiveDefinite(n, seed: UInt64(n) + 10))
      // Only the lower triangle may be read.
      var l = TestMatrix(n, n) { $1 > $0 ? .nan : a[$0, $1] }
      let failing = type.withBuffer(&l, padding: 3) {
        LinearAlgebra.cholesky(type.type, n: n, a: $0, lda: $1, backend: backend)
      }
      #expect(failing == nil)
      for i in 0..<n {
        for j in (i + 1)..<max(n, i + 1) { #expect(l[i, j] == 0) }
      }
      #expect((l * l.transposed - a).largest <= 8 * Double(n) * type.epsilon * a.largest)
    }
  }

  @Test("Cholesky reports the failing pivot", arguments: TestType.all, testBackends)
  func choleskyReportsTheFailingPivot(_ type: TestType, _ backend: LinearAlgebra.Backend) {
    for n in [1, 5, 16, 40, 100] {
      for failing in [0, n / 2, n - 1] {
        for bad in [0, -2, Double.nan] {
          var a = TestMatrix(n, n) { $0 == $1 ? 4 : 0 }
          a[failing, failing] = bad
          let reported = type.withBuffer(&a) {
            LinearAlgebra.cholesky(type.type, n: n, a: $0, lda: $1, backend: backend)
          }
          #expect(reported == failing)
        }
      }
    }
  }

  // MARK: Triangular solve

  @Test("Triangular solves of every orientation", arguments: TestType.all, testBackends)
  func triangularSolve(_ type: TestType, _ backend: LinearAlgebra.Backend) {
    for n in Self.sizes {
      for columns in [0, 1, 2, 37] {
        for flags in 0..<8 {
          let lower = flags & 1 != 0
          let transposed = flags & 2 != 0
          let unit = flags & 4 != 0
          let random = type.rounded(.random(n, n, seed: UInt64(n)))
          // Off-diagonal elements small enough for a well-conditioned triangle.
          let t = type.rounded(
            TestMatrix(n, n) { i, j in
              if i == j { return unit ? 1 : 1.5 + random[i, j] }
              return (i > j) == lower ? random[i, j] / Double(n) : 0
            })
          // The other triangle, and the diagonal when it is implied, must not be read.
          var stored = TestMatrix(n, n) { i, j in
            let isRead = i == j ? !unit : (i > j) == lower
            return isRead ? t[i, j] : .nan
          }
          let b = type.rounded(.random(n, columns, seed: 8))
          var x = b
          let zero = type.withBuffer(&stored, padding: 1) { t, ldt in
            type.withBuffer(&x, padding: 2) { x, ldx in
              LinearAlgebra.triangularSolve(
                type.type, lower: lower, transposed: transposed, unitDiagonal: unit,
                n: n, rightHandSides: columns, alpha: -2, t: t, ldt: ldt, b: x, ldb: ldx,
                backend: backend)
            }
          }
          #expect(zero == nil)
          let residual =
            (transposed ? t.transposed : t) * x - TestMatrix(n, columns) { -2 * b[$0, $1] }
          #expect(residual.largest <= 40 * type.epsilon * max(1, x.largest))
        }
      }
    }
  }

  @Test("Triangular solve reports zero", arguments: TestType.all, testBackends)
  func triangularSolveReportsZero(_ type: TestType, _ backend: LinearAlgebra.Backend) {
    var t = TestMatrix.identity(20)
    t[13, 13] = 0
    t[17, 17] = 0
    var x = TestMatrix(20, 1) { i, _ in Double(i) }
    let zero = type.withBuffer(&t) { t, ldt in
      type.withBuffer(&x) { x, ldx in
        LinearAlgebra.triangularSolve(
          type.type, lower: true, n: 20, rightHandSides: 1, t: t, ldt: ldt, b: x, ldb: ldx,
          backend: backend)
      }
    }
    #expect(zero == 13)
    #expect(x.elements == (0..<20).map(Double.init))
  }

  // MARK: LU

  /// The factors of A, the pivots and the first zero pivot.
  func factor(
    _ a: TestMatrix, _ type: TestType, _ backend: LinearAlgebra.Backend
  ) -> (lu: TestMatrix, pivots: [Int32], zero: Int?) {
    var lu = a
    var pivots = [Int32](repeating: -1, count: max(1, a.rows))
    let zero = type.withBuffer(&lu, padding: 2) { lu, ld in
      pivots.withUnsafeMutableBufferPointer { pivots in
        guard let pivots = pivots.baseAddress else { fatalError("no pivots") }
        return LinearAlgebra.luFactor(
          type.type, n: a.rows, a: lu, lda: ld, pivots: pivots, backend: backend)
      }
    }
    return (lu, pivots, zero)
  }

  func solve(
    _ factors: (lu: TestMatrix, pivots: [Int32], zero: Int?), _ b: TestMatrix, transposed: Bool,
    _ type: TestType, _ backend: LinearAlgebra.Backend
  ) -> (x: TestMatrix, zero: Int?) {
    var lu = factors.lu
    var x = b
    let zero = type.withBuffer(&lu, padding: 1) { lu, ldlu in
      type.withBuffer(&x, padding: 1) { x, ldx in
        LinearAlgebra.luSolve(
          type.type, transposed: transposed, n: b.rows, rightHandSides: b.columns,
          lu: lu, ldlu: ldlu, pivots: factors.pivots, b: x, ldb: ldx, backend: backend)
      }
    }
    return (x, zero)
  }

  @Test("LU factors multiply back and solve", arguments: TestType.all, testBackends)
  func lu(_ type: TestType, _ backend: LinearAlgebra.Backend) {
    for n in Self.sizes {
      let a = type.rounded(.random(n, n, seed: UInt64(n) + 20))
      let factors = factor(a, type, backend)
      #expect(factors.zero == nil)
      var permuted = a
      for i in 0..<n {
        let p = Int(factors.pivots[i])
        #expect(p >= i && p < n)
        for j in 0..<n {
          (permuted[i, j], permuted[p, j]) = (permuted[p, j], permuted[i, j])
        }
      }
      let l = TestMatrix(n, n) { $0 > $1 ? factors.lu[$0, $1] : $0 == $1 ? 1 : 0 }
      let u = TestMatrix(n, n) { $0 <= $1 ? factors.lu[$0, $1] : 0 }
      #expect(l.largest <= 1)
      #expect((l * u - permuted).largest <= 4 * Double(n) * type.epsilon * max(1, u.largest))
      for transposed in [false, true] {
        for columns in [1, 5] {
          let b = type.rounded(.random(n, columns, seed: 9))
          let (x, zero) = solve(factors, b, transposed: transposed, type, backend)
          #expect(zero == nil)
          let residual = (transposed ? a.transposed : a) * x - b
          #expect(residual.largest <= 8 * Double(n + 1) * type.epsilon * max(1, x.largest))
        }
      }
    }
  }

  @Test("LU of a singular matrix names its zero pivot", arguments: TestType.all, testBackends)
  func luOfASingularMatrix(_ type: TestType, _ backend: LinearAlgebra.Backend) {
    for n in [1, 4, 9, 30] {
      // A zero column stays exactly zero.
      let random = TestMatrix.random(n, n, seed: 30)
      let a = TestMatrix(n, n) { $1 == n / 2 ? 0 : random[$0, $1] }
      let factors = factor(a, type, backend)
      #expect(factors.zero == n / 2)
      let b = TestMatrix(n, 1) { _, _ in 1 }
      #expect(solve(factors, b, transposed: false, type, backend).zero == n / 2)
    }
  }

  @Test("Hilbert system has a small residual", arguments: TestType.all, testBackends)
  func hilbertSystemHasASmallResidual(_ type: TestType, _ backend: LinearAlgebra.Backend) {
    // Condition number 1e13: the solution is far off in float32, the residual is small all the same.
    let a = type.rounded(TestMatrix(10, 10) { 1 / Double($0 + $1 + 1) })
    let b = TestMatrix(10, 1) { i, _ in i.isMultiple(of: 2) ? 1 : -1 }
    let (x, zero) = solve(factor(a, type, backend), b, transposed: false, type, backend)
    #expect(zero == nil)
    #expect((a * x - b).largest <= 20 * type.epsilon * x.largest)
  }
}
