import Autodiff
import CTensorKernels
import Testing

@Suite("Symmetric eigenvalues") struct SymmetricEigenTests {
  /// Eigenvalues and eigenvectors; `nil` when refused.
  func eigen(
    _ a: TestMatrix, _ type: TestType, _ backend: LinearAlgebra.Backend
  ) -> (values: [Double], vectors: TestMatrix)? {
    let n = a.rows
    // Only the lower triangle may be read.
    var vectors = TestMatrix(n, n) { $1 > $0 ? .infinity : a[$0, $1] }
    var values = TestMatrix(1, n) { _, _ in 0 }
    let succeeded = type.withBuffer(&vectors, padding: 2) { vectors, ld in
      type.withBuffer(&values) { values, _ in
        LinearAlgebra.symmetricEigen(
          type.type, n: n, a: vectors, lda: ld, values: values, backend: backend)
      }
    }
    return succeeded ? (values.elements, vectors) : nil
  }

  /// Checks A V = V diag(values), VᵀV = 1 and the order, relative to the largest element of A.
  func check(_ a: TestMatrix, _ type: TestType, _ backend: LinearAlgebra.Backend) throws {
    let n = a.rows
    let (values, vectors) = try #require(eigen(a, type, backend))
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 })
    let scaled = TestMatrix(n, n) { vectors[$0, $1] * values[$1] }
    let bound = 20 * Double(n + 1) * type.epsilon
    #expect((a * vectors - scaled).largest <= bound * a.largest)
    #expect((vectors.transposed * vectors - .identity(n)).largest <= bound)
    if backend == .library {
      let (builtIn, _) = try #require(eigen(a, type, .builtIn))
      for (x, y) in zip(values, builtIn) { #expect(abs(x - y) <= bound * a.largest) }
    }
  }

  @Test("Eigenvalues and vectors of random matrices", arguments: TestType.all, testBackends)
  func randomMatrices(_ type: TestType, _ backend: LinearAlgebra.Backend) throws {
    for n in [0, 1, 2, 3, 10, 31, 32, 33, 34, 65, 100, 150] {
      let r = TestMatrix.random(n, n, seed: UInt64(n) + 40)
      try check(type.rounded(TestMatrix(n, n) { r[$0, $1] + r[$1, $0] }), type, backend)
    }
  }

  @Test("Eigenvalues and vectors of special matrices", arguments: TestType.all, testBackends)
  func specialMatrices(_ type: TestType, _ backend: LinearAlgebra.Backend) throws {
    let n = 40
    try check(TestMatrix(n, n) { _, _ in 0 }, type, backend)
    try check(.identity(n), type, backend)
    try check(TestMatrix(n, n) { _, _ in 1 }, type, backend)
    // Eigenvalues ±1 only, zero diagonal.
    try check(TestMatrix(n, n) { $0 + $1 == n - 1 ? 1 : 0 }, type, backend)
    // Wilkinson's matrix has pairs of eigenvalues that agree to many digits.
    try check(
      TestMatrix(21, 21) { abs($0 - $1) == 1 ? 1 : $0 == $1 ? Double(abs($0 - 10)) : 0 },
      type, backend)
    // Hilbert: eigenvalues from 1 down to far below the accuracy.
    try check(type.rounded(TestMatrix(20, 20) { 1 / Double($0 + $1 + 1) }), type, backend)
    // Elements whose squares overflow, or vanish.
    let huge = type.type == TK_FLOAT32 ? 0x1p100 : 0x1p900
    try check(TestMatrix(n, n) { huge / Double($0 + $1 + 1) }.rounded(to: type), type, backend)
    try check(TestMatrix(n, n) { 1 / huge / Double($0 + $1 + 1) }.rounded(to: type), type, backend)
  }

  @Test("Eigenvalues known in closed form", arguments: testBackends)
  func knownValues(_ backend: LinearAlgebra.Backend) throws {
    // The second difference matrix: 2 - 2 cos(π j / 4) for n = 3.
    let a = TestMatrix(3, 3) { $0 == $1 ? 2 : abs($0 - $1) == 1 ? -1 : 0 }
    let (values, _) = try #require(eigen(a, TestType.all[1], backend))
    let root = 2.0.squareRoot()
    for (x, y) in zip(values, [2 - root, 2, 2 + root]) { #expect(abs(x - y) < 1e-15) }
  }

  @Test("A matrix that is not finite is refused", arguments: TestType.all, testBackends)
  func refusesWhatIsNotFinite(_ type: TestType, _ backend: LinearAlgebra.Backend) {
    for bad in [Double.nan, .infinity] {
      var a = TestMatrix.identity(5)
      a[3, 1] = bad
      #expect(eigen(a, type, backend) == nil)
    }
  }
}

extension TestMatrix {
  fileprivate func rounded(to type: TestType) -> TestMatrix { type.rounded(self) }
}
