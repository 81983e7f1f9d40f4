import Autodiff
import Testing
import TestSupport

/// Against 60-digit numbers of mpmath for the matrices as they are stored.
@Suite("Singular values")
struct SingularValuesTests {
  static let tall = Tensor(rows: [[1, 2, 3], [4, 5, 6], [7, 8, 10], [2, -1, 0.5]])
  static let tallValues = [17.427664980049168791, 2.2559927511871617542, 0.66105222922155406305]

  /// Errors of a few ulp of the largest value, whatever the smallest.
  private func has(_ a: Tensor, _ expected: [Double], ulps: Double = 8) throws -> Bool {
    let values = try singularValues(a)
    let unit = ulps * a.scalarType.ulpOfOne * (expected.first ?? 0)
    return values.shape == [expected.count] && values.scalarType == a.scalarType
      && zip(values.scalars, expected).allSatisfy { abs($0 - $1) <= unit }
  }

  @Test("Tall and wide matrices have numpy's values, the largest first")
  func tallAndWide() throws {
    #expect(try has(Self.tall, Self.tallValues))
    #expect(try has(Self.tall.transposed(), Self.tallValues))
    #expect(try has(Tensor(rows: [[3, 0, 0, 4], [0, 5, 12, 0]]), [13, 5]))
  }

  @Test("A condition number of 5e11 is found with its digits, where eigenvalues of AᵀA have none")
  func hilbert() throws {
    let elements = (0..<9).flatMap { i in (0..<9).map { 1 / Double(i + $0 + 1) } }
    let expected = [
      1.7258826609018466, 0.32163312229920676, 0.031038925781268329, 0.0019789338602159119,
      8.758085051460088e-5, 2.6730134106021222e-6, 5.385613349231209e-8, 6.4609052857053329e-10,
      3.499685501915387e-12,
    ]
    #expect(try has(Tensor(elements, shape: [9, 9]), expected))
  }

  @Test("Columns that differ by 1e-12 are told apart from dependent ones")
  func nearlyDependent() throws {
    let near = Tensor(rows: [[1, 1], [1, 1 + 1e-12], [1, 1 - 1e-12]])
    #expect(try has(near, [2.4494897427831781, 1.0000333899446739e-12]))
    let dependent = try singularValues(Tensor(rows: [[1, 2, 3], [2, 4, 6], [1, 0, 1]])).scalars
    #expect(isClose(Tensor(dependent), Tensor([8.4354485157870468, 0.91826376249207861, 0])))
    #expect(dependent[2] < 1e-14)
    #expect(try singularValues(.zeros([3, 2])).scalars == [0, 0])
  }

  @Test("Rows of very different sizes keep the digits of the small value")
  func gradedRows() throws {
    let values = try singularValues(Tensor(rows: [[1, 0.5], [1e-12, 3e-12]])).scalars
    #expect(agree(values, [1.1180339887498948, 2.2360679774997898e-12], to: 1e-15))
  }

  @Test("Any scale from 1e-150 to 1e150", arguments: [1e-150, 1e-30, 1e30, 1e150])
  func scaled(_ scale: Double) throws {
    let values = try singularValues(scale * Self.tall).scalars
    #expect(agree(values, Self.tallValues.map { scale * $0 }, to: 1e-14))
  }

  @Test("One element, none, and batches of matrices")
  func degenerateSizes() throws {
    #expect(try singularValues(Tensor(rows: [[-2.5]])).scalars == [2.5])
    #expect(try singularValues(.zeros([0, 3])).shape == [0])
    #expect(try singularValues(.zeros([3, 0])).shape == [0])
    #expect(try singularValues(.zeros([0, 2, 3])).shape == [0, 2])
    let batch = Tensor.stacked([Self.tall, 2 * Self.tall])
    let values = try singularValues(batch)
    #expect(values.shape == [2, 3])
    let expected = Self.tallValues + Self.tallValues.map { 2 * $0 }
    #expect(isClose(values.flattened(), Tensor(expected)))
  }

  @Test("float32 matrices have float32 values")
  func float32() throws {
    #expect(try has(Self.tall.cast(to: .float32), Self.tallValues))
    let small = (1e-30 * Self.tall).cast(to: .float32)
    #expect(try has(small, Self.tallValues.map { 1e-30 * $0 }))
  }

  @Test("The values of larger random matrices, with their squares' eigenvalues and norm")
  func random() throws {
    for (m, n) in [(60, 40), (7, 130), (200, 33)] {
      let a = normal([m, n], seed: UInt64(m))
      let values = try singularValues(a).scalars
      let gram = m < n ? matmul(a, a, transposeB: true) : matmul(a, a, transposeA: true)
      let squares = try symmetricEigenvalues(gram).scalars
      #expect(agree(values.reversed().map { $0 * $0 }, squares, to: 1e-10))
      #expect(agrees(values.reduce(0) { $0 + $1 * $1 }, square(a).sum().scalar, to: 1e-13))
    }
  }

  @Test("A matrix that is not finite is refused by its place in the batch")
  func notFinite() {
    for element in [Double.nan, .infinity] {
      let bad = Tensor(rows: [[1, element], [0, 1]])
      #expect(throws: LinearAlgebraError.notFinite(matrix: 1)) {
        try singularValues(.stacked([.identity(2), bad]))
      }
    }
  }

  @Test("A matrix that is being differentiated stops the program with the way out")
  func traced() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try gradient(at: SingularValuesTests.tall) { try singularValues($0).sum() }
    }
    expectMessage(result, "singular values have no derivative", "sqrt(symmetricEigenvalues(")
  }
}
