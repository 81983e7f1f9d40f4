import Autodiff
import Testing
import TestSupport

/// Values of primitives against definitions written out; their derivatives are tested by
/// `PrimitiveTests`.
@Suite("Values of primitives")
struct ValueTests {
  private let x = Tensor(rows: [[3, -1, 2], [0.5, 4, -6]])

  @Test("Reductions")
  func reductions() {
    #expect(x.sum().scalar == 2.5)
    #expect(x.sum(alongAxis: 0).scalars == [3.5, 3, -4])
    #expect(x.sum(alongAxis: -1, keepingDimension: true).shape == [2, 1])
    #expect(x.mean(alongAxis: 1).scalars == [4.0 / 3, -0.5])
    #expect(x.max(alongAxes: [0]).scalars == [3, 4, 2])
    #expect(x.min().scalar == -6)
    #expect(x.argmax(alongAxis: 1).scalars == [0, 1])
    #expect(x.argmin(alongAxis: 0).scalars == [1, 0, 1])
    #expect(x.norm1().scalar == 16.5)
    #expect(x.normInfinity(alongAxes: [1]).scalars == [3, 6])
    #expect(isClose(x.norm().scalar, 66.25.squareRoot()))
    #expect(isClose(x.variance(alongAxes: [1])[0].scalar, 26.0 / 9))
    #expect(x.cumulativeSum(alongAxis: 1).scalars == [3, 2, 4, 0.5, 4.5, -1.5])
    #expect(x.cumulativeSum(alongAxis: 0, reversed: true).scalars == [3.5, 3, -4, 0.5, 4, -6])
    #expect(Tensor.zeros([0, 2]).sum(alongAxis: 0).scalars == [0, 0])
    // Axes that are not neighbours.
    let cube = Tensor.range(24).reshaped(to: [2, 3, 4])
    #expect(cube.sum(alongAxes: [0, 2]).scalars == [60, 92, 124])
    #expect(cube.max(alongAxes: [2, 0]).scalars == [15, 19, 23])
  }

  @Test("logSumExp and softmax neither overflow nor lose infinities")
  func logSumExp() {
    #expect(isClose(Tensor([1000, 1000]).logSumExp().scalar, 1000 + log(Tensor(2)).scalar))
    #expect(Tensor([-Double.infinity, 0]).logSumExp().scalar == 0)
    #expect(Tensor([-Double.infinity, -Double.infinity]).logSumExp().scalar == -Double.infinity)
    #expect(Tensor([Double.infinity, 0]).logSumExp().scalar == Double.infinity)
    #expect(isClose(x.softmax(alongAxis: 1).sum(alongAxis: 1), Tensor([1, 1])))
  }

  @Test("A long sum loses no digits, whatever the block")
  func longSum() {
    let count = 1_000_003
    let sum = Tensor(repeating: 0.1, shape: [count]).sum().scalar
    #expect(abs(Tensor(sum - 0.1 * Double(count))).scalar < 1e-9)
    let narrow = Tensor(repeating: 0.1, shape: [count], .float32).sum().scalar
    #expect(abs(Tensor(narrow / (Double(Float(0.1)) * Double(count)) - 1)).scalar < 1e-6)
  }

  @Test("Movement")
  func movement() {
    #expect(x.transposed().scalars == [3, 0.5, -1, 4, 2, -6])
    #expect(x[1].scalars == [0.5, 4, -6])
    #expect(x[.all, -1].scalars == [2, -6])
    #expect(x[0..<1, 1...2].scalars == [-1, 2])
    #expect(x.reversed(alongAxis: 1)[0].scalars == [2, -1, 3])
    #expect(x[0, stride(from: 2, to: -1, by: -2)].scalars == [2, 3])
    #expect(x.padded([(0, 1), (1, 0)]).scalars == [0, 3, -1, 2, 0, 0.5, 4, -6, 0, 0, 0, 0])
    #expect(Tensor.concatenated([x, x[0..<1]]).shape == [3, 3])
    #expect(Tensor.stacked([x[0], x[1]], alongAxis: 1).isBitwiseEqual(to: x.transposed()))
    #expect(x.gathering(Tensor(indices: [2, 0]), alongAxis: 1).scalars == [2, 3, -6, 0.5])
    let scattered = x.scatterAdding(to: Tensor(indices: [1, 1]), length: 3, alongAxis: 0)
    #expect(scattered.scalars == [0, 0, 0, 3.5, 3, -4, 0, 0, 0])
    #expect(x.permuted(to: [1, 0]).isBitwiseEqual(to: x.transposed()))
    #expect(x.expandingShape(at: -1).shape == [2, 3, 1])
    #expect(x.lowerTriangle().scalars == [3, 0, 0, 0.5, 4, 0])
    #expect(x.upperTriangle(strictly: true).scalars == [0, -1, 2, 0, 0, -6])
    #expect(x.diagonal().scalars == [3, 4])
    #expect(Tensor([1, 2]).embeddedDiagonal().scalars == [1, 0, 0, 2])
  }

  @Test("Selection and masks")
  func selection() {
    let mask = (x .> 0) .& (x .< 3)
    #expect(mask.elements(as: Bool.self) == [false, false, true, true, false, false])
    #expect(select(mask, x, Tensor(0)).sum().scalar == 2.5)
    #expect((.!mask .| mask).allTrue)
    #expect((mask .^ mask).elements(as: Bool.self).allSatisfy { !$0 })
    #expect(maximum(x, 0).sum().scalar == 9.5)
    #expect(!Tensor([1, .nan]).isFinite)
    #expect(maximum(Tensor([.nan]), 1).scalar.isNaN)
  }

  @Test("Matrix products agree with the definition for every batch and flag")
  func matrixProducts() {
    let a = PrimitiveCatalogue.values([2, 1, 3, 4])
    let b = PrimitiveCatalogue.values([5, 4, 2], seed: 2)
    let c = matmul(a, b)
    #expect(c.shape == [2, 5, 3, 2])
    for i in 0..<2 {
      for j in 0..<5 {
        for m in 0..<3 {
          for n in 0..<2 {
            let expected = (a[i, 0, m] * b[j, .all, n]).sum()
            #expect(isClose(c[i, j, m, n].scalar, expected.scalar))
          }
        }
      }
    }
    #expect(isClose(matmul(a.transposed(), b, transposeA: true), c))
    #expect(isClose(matmul(a, b.transposed(), transposeB: true), c))
    #expect(matmul(Tensor.zeros([2, 0]), Tensor.zeros([0, 3])).scalars == [0, 0, 0, 0, 0, 0])
    #expect(dot(Tensor([1, 2]), Tensor([3, 4])).scalar == 11)
  }

  @Test("Factorisations and solves satisfy their equations", arguments: [1, 5, 40, 150])
  func factorizations(n: Int) throws {
    let a = PrimitiveCatalogue.values([2, n, n]) + 3 * Tensor.identity(n)
    let b = PrimitiveCatalogue.values([2, n, 3], seed: 2)
    let tolerance = 1e-11
    #expect(isClose(matmul(a, try solve(a, b)), b, tolerance: tolerance))
    let positive = matmul(a, a, transposeB: true) + Tensor.identity(n)
    let l = try cholesky(positive)
    #expect(isClose(matmul(l, l, transposeB: true), positive, tolerance: 1e-10))
    #expect(
      isClose(
        matmul(positive, try solvePositiveDefinite(positive, b)), b, tolerance: 1e-9))
    #expect(isClose(matmul(l, try triangularSolve(l, b)), b, tolerance: tolerance))
    let (w, v) = try symmetricEigen(positive)
    #expect(
      isClose(matmul(v * w.expandingShape(at: -2), v, transposeB: true), positive, tolerance: 1e-9))
    let (logarithm, sign) = try logAbsoluteDeterminant(positive)
    #expect(sign.scalars == [1, 1])
    #expect(isClose(logarithm, log(w).sum(alongAxis: -1), tolerance: 1e-10))
    #expect(isClose(logarithm, try logDeterminantPositiveDefinite(positive), tolerance: 1e-10))
  }

  @Test("The sign of a determinant follows row exchanges and negative pivots")
  func determinantSigns() throws {
    let swap = Tensor(rows: [[0, 1], [1, 0]])
    #expect(try logAbsoluteDeterminant(swap).sign.scalar == -1)
    #expect(try logAbsoluteDeterminant(-Tensor.identity(3)).sign.scalar == -1)
    #expect(try logAbsoluteDeterminant(-Tensor.identity(4)).sign.scalar == 1)
  }

  @Test("Numerical failures are thrown and name pivot and matrix")
  func failures() {
    let good = Tensor.identity(3)
    let bad = Tensor([1, 0, 2]).embeddedDiagonal()
    let batch = Tensor.stacked([good, bad])
    #expect(throws: LinearAlgebraError.singular(pivot: 1, matrix: 1)) {
      try solve(batch, Tensor.ones([2, 3, 1]))
    }
    #expect(throws: LinearAlgebraError.notPositiveDefinite(pivot: 1, matrix: 1)) {
      try cholesky(batch)
    }
    #expect(throws: LinearAlgebraError.notConverged(matrix: 0)) {
      try symmetricEigen(good * Double.nan)
    }
    #expect(throws: LinearAlgebraError.singular(pivot: 1, matrix: 0)) {
      try triangularSolve(bad, Tensor.ones([3, 1]))
    }
  }
}
