import Autodiff

extension Initializer {
  /// A random orthogonal matrix times `gain`: orthonormal columns, or orthonormal rows where there
  /// are fewer rows than columns, uniform over all such matrices.
  ///
  /// Saxe, McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning in deep
  /// linear neural networks (2014). The last bits depend on the linear algebra library in use.
  ///
  /// - Precondition: The parameter is a matrix.
  public static func orthogonal(gain: Double = 1) -> Initializer {
    Initializer { shape, _, type, generator in
      guard shape.rank == 2 else {
        stop("Initializer.orthogonal", "expected the shape of a matrix, found \(shape)")
      }
      let isTall = shape[0] > shape[1]
      let size: Shape = [min(shape[0], shape[1]), max(shape[0], shape[1])]
      let rows = orthonormalRows(size, using: &generator)
      return (gain * (isTall ? rows.transposed() : rows)).cast(to: type)
    }
  }

  /// A matrix with orthonormal rows, not more than columns: the factor Q of a normal matrix.
  ///
  /// Cholesky factors have positive diagonals, which makes Q unique and hence uniformly
  /// distributed (Mezzadri, How to generate random matrices from the classical compact groups,
  /// 2007). Rare ill-conditioned draws are replaced; conditioning is a property of the other
  /// factor, which is independent of Q, so that does not disturb the distribution.
  private static func orthonormalRows(
    _ shape: Shape, using generator: inout PhiloxGenerator
  ) -> Tensor {
    while true {
      let draw = Tensor.normal(shape, using: &generator)
      if let rows = try? orthonormalized(draw) { return rows }
    }
  }

  /// The factor Q by Cholesky QR, twice; nil if the first pass leaves a defect above 0.1.
  ///
  /// The first pass leaves a defect of the squared condition number times the rounding unit, the
  /// second one of the rounding unit (Yamamoto and others, Roundoff error analysis of the
  /// CholeskyQR2 algorithm, 2015).
  private static func orthonormalized(_ draw: Tensor) throws(LinearAlgebraError) -> Tensor? {
    let first = try triangularSolve(cholesky(matmul(draw, draw, transposeB: true)), draw)
    let gram = matmul(first, first, transposeB: true)
    let defect = (gram - Tensor.identity(gram.shape[0])).normInfinity().scalar
    return defect < 0.1 ? try triangularSolve(cholesky(gram), first) : nil
  }
}
