import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Diagonals and largest eigenvalues by products")
struct LinearOperatorSpectrumTests {
  private func linearOperator(_ a: Tensor) -> LinearOperator {
    LinearOperator(
      size: a.shape[0], scalarType: a.scalarType, product: { v in matmul(a, v) },
      transposedProduct: { v in matmul(a, v, transposeA: true) })
  }

  /// Symmetric with eigenvalues 1 … n.
  private func matrix(_ n: Int) throws -> Tensor {
    let basis = try symmetricEigen(symmetrized(normal([n, n], seed: 1))).vectors
    return symmetrized(matmul(basis * (Tensor.range(n) + 1), basis, transposeB: true))
  }

  @Test("n products give the diagonal itself, also of float32")
  func exact() throws {
    for type in [ScalarType.float64, .float32] {
      let a = normal([7, 7], seed: 2).cast(to: type)
      for products in [7, 100] {
        let found = try linearOperator(a).diagonal(products: products)
        #expect(found.isBitwiseEqual(to: a.diagonal()))
      }
    }
    #expect(try linearOperator(.zeros([0, 0])).diagonal().shape == [0])
  }

  @Test("Fewer products estimate it, by a seed, and know a diagonal matrix at once")
  func estimated() throws {
    let a = try matrix(40)
    let found = try linearOperator(a).diagonal(products: 39, seed: 3)
    #expect(found.isBitwiseEqual(to: try linearOperator(a).diagonal(products: 39, seed: 3)))
    #expect(!found.isBitwiseEqual(to: try linearOperator(a).diagonal(products: 39, seed: 4)))
    // The deviation is that of the elements beside the diagonal, over √39.
    let beside = sqrt(square(a).sum(alongAxis: 1) - square(a.diagonal())) / 39.0.squareRoot()
    #expect((abs(found - a.diagonal()) - 5 * beside).max().scalar < 0)
    let diagonal = (Tensor.range(5) + 1).embeddedDiagonal()
    #expect(try linearOperator(diagonal).diagonal(products: 1).scalars == [1, 2, 3, 4, 5])
  }

  @Test("The largest eigenvalue is bounded from above by at most 5 %, of pencils too")
  func largestEigenvalue() throws {
    let a = try matrix(30)
    let identity: LinearOperator.Product = { v throws(SolverError) in v }
    let plain = try linearOperator(a).largestEigenvalue(preconditionedBy: identity)
    #expect((30...31.5).contains(plain))
    let d = a.diagonal()
    let pencil = try linearOperator(a).largestEigenvalue { v throws(SolverError) in v / d }
    let root = sqrt(d)
    let scaled = a / root.expandingShape(at: 1) / root.expandingShape(at: 0)
    let largest = try symmetricEigenvalues(scaled).max().scalar
    #expect((largest...1.05 * largest).contains(pencil))
    let indefinite = try linearOperator(-a).largestEigenvalue(preconditionedBy: identity)
    #expect(indefinite < 0)
    #expect(try linearOperator(.zeros([0, 0])).largestEigenvalue(preconditionedBy: identity) == 1)
  }
}
