import Autodiff
import Econometrics
import TestSupport
import Testing

@Suite("QR factorisation with column pivoting")
struct PivotedQRTests {
  private let columns = [Tensor([1, 1, 1, 1]), Tensor([1, 2, 3, 4]), Tensor([1, 4, 9, 16])]

  @Test("It solves least squares")
  func solvesLeastSquares() {
    // The parabola nearest to (1, 2), (2, 3), (3, 5), (4, 4) is -1 + 3.3 x - 0.5 x².
    let (fit, target) = (PivotedQR(columns), Tensor([2, 3, 5, 4]))
    #expect(fit.rank == 3)
    #expect(isClose(fit.coefficients(target), Tensor([-1, 3.3, -0.5])))
    let residual = fit.residual(target)
    for column in columns { #expect(abs(dot(column, residual)).scalar < 1e-13) }
    // (XᵀX)⁻¹, the covariance of the coefficients for errors of variance one.
    let x = Tensor.stacked(columns, alongAxis: 1)
    let product = matmul(matmul(x, x, transposeA: true), fit.sandwich(.identity(3)))
    #expect(isClose(product, .identity(3), tolerance: 1e-10))
  }

  @Test("Projection and residual add up, and the basis is orthonormal")
  func projectionAndResidualAddUp() {
    let (fit, target) = (PivotedQR(columns), Tensor([0.3, -1, 2, 7]))
    #expect(isClose(fit.projection(target) + fit.residual(target), target))
    #expect(isClose(matmul(fit.basis, fit.coordinates(target)), fit.projection(target)))
    #expect(isClose(matmul(fit.basis, fit.basis, transposeA: true), .identity(3)))
  }

  @Test(
    "The basis stays orthonormal and coefficients keep digits where columns are nearly dependent")
  func keepsDigitsOfIllConditionedColumns() {
    // The Hilbert matrix of order 6 has condition number 1.5·10⁷; the normal equations would lose
    // fourteen digits, the factorisation seven.
    let hilbert = (0..<6).map { i in Tensor((0..<6).map { j in 1 / Double(i + j + 1) }) }
    let fit = PivotedQR(hilbert)
    let target = Tensor.stacked(hilbert).sum(alongAxis: 0)
    #expect(isClose(fit.coefficients(target), .ones([6]), tolerance: 1e-8))
    #expect(isClose(matmul(fit.basis, fit.basis, transposeA: true), .identity(6)))
    let noise = normal([200], seed: 1)
    let near = [Tensor.ones([200]), 1 + 1e-9 * noise, normal([200], seed: 2)]
    let basis = PivotedQR(near).basis
    #expect(basis.shape == [200, 3])
    #expect(isClose(matmul(basis, basis, transposeA: true), .identity(3)))
  }

  @Test("Dependent columns are found whatever their units")
  func findsDependentColumns() {
    let fit = PivotedQR(columns + [(5 * columns[0] - columns[1]) * 1e9])
    #expect(fit.rank == 3)
    #expect(fit.dependencies == [[0, 1, 3]])
    #expect(PivotedQR(columns).dependencies.isEmpty)
    #expect(PivotedQR([Tensor([0, 0]), Tensor([1, 2])]).dependencies == [[0]])
    #expect(PivotedQR([Tensor([1.0]), Tensor([2.0])]).dependencies == [[0, 1]])
    #expect(PivotedQR([Tensor([0.0])]).dependencies == [[0]])
  }

  @Test("No columns span nothing")
  func noColumns() {
    let (fit, target) = (PivotedQR([]), Tensor([1, 2]))
    #expect(fit.rank == 0 && fit.dependencies.isEmpty)
    #expect(fit.residual(target).isBitwiseEqual(to: target))
    #expect(fit.projection(target).isBitwiseEqual(to: .zeros([2])))
  }
}
