import Econometrics
import Testing

@Suite("Pivoted QR") struct PivotedQRTests {
  private let columns: [[Double]] = [[1, 1, 1, 1], [1, 2, 3, 4], [1, 4, 9, 16]]

  @Test("Solves least squares") func solvesLeastSquares() {
    // The parabola nearest to (1, 2), (2, 3), (3, 5), (4, 4) is -1 + 3.3 x - 0.5 x².
    let fit = PivotedQR(columns)
    #expect(fit.rank == 3)
    for (found, expected) in zip(fit.coefficients([2, 3, 5, 4]), [-1, 3.3, -0.5]) {
      #expect(abs(found - expected) < 1e-13)
    }
    let residual = fit.residual([2, 3, 5, 4])
    for column in columns {
      #expect(abs(zip(column, residual).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-13)
    }
  }

  @Test("Projection and residual add up") func projectionAndResidualAddUp() {
    let fit = PivotedQR(columns)
    let target = [0.3, -1, 2, 7]
    let sum = zip(fit.projection(target), fit.residual(target)).map { $0 + $1 }
    for (a, b) in zip(sum, target) { #expect(abs(a - b) < 1e-14) }
    let coordinates = fit.coordinates(target)
    let basis = fit.orthonormalColumns()
    for row in target.indices {
      let value = zip(basis, coordinates).reduce(0) { $0 + $1.0[row] * $1.1 }
      #expect(abs(value - fit.projection(target)[row]) < 1e-13)
    }
  }

  /// The Hilbert matrix of order 6 has condition number 1.5·10⁷; the normal equations would lose
  /// fourteen digits, the factorisation seven.
  @Test("Keeps digits of ill-conditioned columns") func keepsDigitsOfIllConditionedColumns() {
    let hilbert = (0..<6).map { i in (0..<6).map { j in 1 / Double(i + j + 1) } }
    let target = (0..<6).map { row in hilbert.reduce(0) { $0 + $1[row] } }
    for coefficient in PivotedQR(hilbert).coefficients(target) {
      #expect(abs(coefficient - 1) < 1e-8)
    }
  }

  @Test("Finds dependent columns whatever their units")
  func findsDependentColumnsWhateverTheirUnits() {
    let third = zip(columns[0], columns[1]).map { (5 * $0 - $1) * 1e9 }
    let fit = PivotedQR([columns[0], columns[1], columns[2], third])
    #expect(fit.rank == 3)
    #expect(fit.dependencies == [[0, 1, 3]])
    #expect(PivotedQR(columns).dependencies.isEmpty)
    #expect(PivotedQR([[0, 0], [1, 2]]).dependencies == [[0]])
    #expect(PivotedQR([[1], [2]]).dependencies == [[0, 1]])
    #expect(PivotedQR([]).rank == 0)
  }
}
