import Autodiff
import Inference
import TestSupport
import Testing

@Suite("Certificates") struct CertificatesTests {
  @Test("The certificate of descent is the norm, the level and the radius")
  func descentCertificate() throws {
    let clusters = (0..<30).map { $0 / 2 }
    let mean = try sampleMean(mixedRows(30, 3, seed: 1), clusters: clusters)
    let v = Tensor([1, -0.5, 2])
    let certificate = mean.descentCertificate(along: v, level: 0.95)
    let slope = dot(v, mean.value).scalar
    let error = dot(v, matmul(mean.covariance, v)).scalar.squareRoot()
    #expect(abs(certificate.slope / slope - 1) < 1e-13)
    #expect(abs(certificate.standardError / error - 1) < 1e-13)
    let bound = slope - 1.64485362695147272 * error
    #expect(abs(certificate.lowerBound - bound) < 1e-12 * (abs(slope) + error))
    #expect(certificate.isDescent == (bound > 0))
  }

  /// The slope is 1.7 standard errors above zero: enough at 95 %, not at 97.5 %.
  @Test("Is descent at level") func isDescentAtLevel() throws {
    let mean = try sampleMean(Tensor(rows: [[-1], [1], [-1], [1]]))
    let estimate = try Estimate(
      value: 1.7 * mean.standardErrors, names: ["slope"], influence: mean.influence)
    let v = Tensor([2])
    #expect(estimate.descentCertificate(along: v, level: 0.95).isDescent)
    #expect(!estimate.descentCertificate(along: v, level: 0.975).isDescent)
    #expect(!estimate.descentCertificate(along: -v, level: 0.95).isDescent)
  }

  /// Independent coordinates with variances 1 and 4 and the χ² point of two degrees of freedom.
  @Test("The bound of the norm holds as often as it says") func normBound() throws {
    let rows = Tensor(rows: [[1, 2], [1, -2], [-1, 2], [-1, -2]])
    let mean = try Estimate(
      value: Tensor([3, 4]), names: ["a", "b"],
      influence: [InfluenceRows(3.0.squareRoot() * rows, sample: SampleIdentity(name: "s"))])
    let reference = 5 + (4 * 5.99146454710798021).squareRoot()
    #expect(abs(mean.normBound(level: 0.95) / reference - 1) < 1e-13)
    // A copy of a coordinate adds to the norm but no degree of freedom.
    let copied = mean.selected([0, 1, 1])
    let copiedReference = 41.0.squareRoot() + (8 * 5.99146454710798021).squareRoot()
    #expect(abs(copied.normBound(level: 0.95) / copiedReference - 1) < 1e-13)
    #expect((mean - mean).normBound() == 0)
  }

  @Test("Wrong direction stops") func wrongDirectionStops() async {
    await #expect(processExitsWith: .failure) {
      _ = try sampleMean(normal([5, 2], seed: 1)).descentCertificate(along: Tensor([1]))
    }
  }
}
