import Autodiff

/// The eigenvalues and eigenvectors of the correlation matrix of an estimate, which tell its rank
/// whatever the units of the coordinates.
struct CovarianceSpectrum {
  /// Eigenvalues up to this share of the largest count as zero.
  static let relativeCutoff = 1e-8

  /// The coordinates that vary.
  let coordinates: [Int]
  /// Their standard errors.
  let errors: [Double]
  /// The eigenvalues of their correlations, ascending.
  let eigenvalues: [Double]
  /// The eigenvectors, in columns.
  let vectors: Tensor
  /// The eigenvalue that the smallest one kept exceeds.
  let cutoff: Double

  /// The rank of the covariance.
  var rank: Int { eigenvalues.count { $0 > cutoff } }

  init(_ estimate: Estimate) throws(LinearAlgebraError) {
    let errors = estimate.standardErrors.scalars
    let coordinates = errors.indices.filter { errors[$0] > 0 }
    self.coordinates = coordinates
    self.errors = coordinates.map { errors[$0] }
    guard !coordinates.isEmpty else {
      (eigenvalues, vectors, cutoff) = ([], Tensor.zeros([0, 0]), 0)
      return
    }
    // Scaled before the product, so that squares neither overflow nor vanish.
    let columns = Tensor(indices: coordinates)
    let scale = Tensor(self.errors)
    let correlation = estimate.influence.reduce(
      Tensor.zeros([coordinates.count, coordinates.count])
    ) { sum, part in
      sum + part.map { $0.gathering(columns, alongAxis: 1) / scale }.covariance
    }
    let (values, vectors) = try symmetricEigen(correlation)
    eigenvalues = values.scalars
    self.vectors = vectors
    cutoff = Self.relativeCutoff * (eigenvalues.last ?? 0)
  }

  /// The elements of a vector of standardised differences in the directions of the eigenvectors.
  func components(of difference: [Double]) -> [Double] {
    guard !coordinates.isEmpty else { return [] }
    let standardised = zip(coordinates, errors).map { difference[$0] / $1 }
    return matmul(vectors, Tensor(standardised), transposeA: true).scalars
  }
}
