import Autodiff
import Foundation
import Inference
import TestSupport
import Testing

@Suite("The multiplier bootstrap") struct MultiplierBootstrapTests {
  private static let every: [MultiplierBootstrap.Multipliers] = [.normal, .rademacher, .mammen]

  /// One coordinate takes the normal quantile.
  ///
  /// With 20,000 draws a quantile of |t| at 95 % has a standard
  /// error of √(0.95 · 0.05 / 20,000) / (2 φ(1.96)) = 0.013.
  @Test("One coordinate is the square of its z statistic", arguments: every)
  func oneCoordinate(multipliers: MultiplierBootstrap.Multipliers) throws {
    let mean = try sampleMean(normal([300, 1], seed: 1))
    let bootstrap = MultiplierBootstrap(draws: 20_000, seed: 2, multipliers: multipliers)
    let found = try bootstrap.criticalValue(of: mean)
    #expect(abs(found - 1.95996) < 0.04)
  }

  /// Ten independent coordinates: Šidák's value Φ⁻¹((1 + 0.95^(1/10)) / 2).
  @Test("Independent coordinates", arguments: every)
  func independentCoordinates(multipliers: MultiplierBootstrap.Multipliers) throws {
    let mean = try sampleMean(normal([300, 10], seed: 3))
    let bootstrap = MultiplierBootstrap(draws: 10_000, seed: 4, multipliers: multipliers)
    let found = try bootstrap.criticalValue(of: mean)
    #expect(abs(found - 2.79963) < 0.05)
  }

  /// Copies of one coordinate in other units need no larger value.
  @Test("Perfectly correlated coordinates") func perfectlyCorrelatedCoordinates() throws {
    let mean = try sampleMean(normal([500, 1], seed: 5))
    let copies = try mean.mapped(by: Tensor(rows: [[1], [-3], [1e4], [1e-4]]))
    let bootstrap = MultiplierBootstrap(draws: 2000, seed: 6)
    let one = try bootstrap.criticalValue(of: mean)
    let four = try bootstrap.criticalValue(of: copies)
    #expect(abs(four / one - 1) < 1e-12)
  }

  /// The draws have the covariance of the estimate, clusters and samples included.
  @Test("Draws have the variance of the estimate") func drawsHaveTheVarianceOfTheEstimate() throws {
    let a = try sampleMean(
      mixedRows(60, 1, seed: 7), "a", clusters: (0..<60).map { $0 % 20 })
    let b = try sampleMean(mixedRows(30, 1, seed: 8), "b")
    let draws = 20_000
    for multipliers in Self.every {
      let bootstrap = MultiplierBootstrap(draws: draws, seed: 9, multipliers: multipliers)
      let squares = bootstrap.maxima(of: a + b).map { $0 * $0 }
      let variance = squares.reduce(0, +) / Double(draws)
      // The square of a standard normal variable has standard deviation √2.
      #expect(abs(variance - 1) < 4 * (2 / Double(draws)).squareRoot())
    }
  }

  /// Clusters share a multiplier: with Rademacher weights and two clusters there are two values.
  @Test("Clusters share a multiplier") func clustersShareAMultiplier() throws {
    let mean = try sampleMean(
      mixedRows(12, 1, seed: 10), clusters: (0..<12).map { $0 % 2 })
    let bootstrap = MultiplierBootstrap(draws: 50, seed: 11, multipliers: .rademacher)
    let values = Set(bootstrap.maxima(of: mean).map { ($0 * 1e9).rounded() })
    // The two sums of centred rows are opposite: equal signs cancel, others add to √2.
    #expect(values == [0, (2.0.squareRoot() * 1e9).rounded()])
  }

  @Test("Draws are reproducible and of the number asked for") func draws() throws {
    let mean = try sampleMean(normal([40, 2], seed: 12))
    let bootstrap = MultiplierBootstrap(draws: 150, seed: 13)
    let maxima = bootstrap.maxima(of: mean)
    #expect(maxima.count == 150)
    #expect(bootstrap.maxima(of: mean) == maxima)
    #expect(MultiplierBootstrap(draws: 150, seed: 14).maxima(of: mean) != maxima)
    // More draws are the same draws and more.
    let more = MultiplierBootstrap(draws: 200, seed: 13).maxima(of: mean)
    #expect(zip(maxima, more).allSatisfy { abs($0 - $1) < 1e-12 })
    // Of 150 draws the 144th in order: 0.95 · 151 = 143.45.
    let critical = try bootstrap.criticalValue(of: mean, level: 0.95)
    #expect(critical == maxima.sorted()[143])
  }

  /// Long samples are taken in parts, which changes nothing: a coordinate that is 0 from the first
  /// part on gives what the first part alone gives.
  @Test("Long samples are taken in parts") func longSamplesAreTakenInParts() throws {
    let short = normal([16_384, 1], seed: 15)
    let centred = short - short.mean()
    let long = Tensor.concatenated([centred, Tensor.zeros([3000, 1])])
    let bootstrap = MultiplierBootstrap(draws: 20, seed: 16)
    let a = bootstrap.maxima(of: try sampleMean(centred))
    let b = bootstrap.maxima(of: try sampleMean(long))
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-12 })
    // Parts have multipliers of their own: with the same ones this would cancel.
    let opposite = Tensor.concatenated([centred, -centred])
    let largest = bootstrap.maxima(of: try sampleMean(opposite)).max() ?? 0
    #expect(largest > 1)
  }

  @Test("What cannot be computed is refused") func refusals() throws {
    let mean = try sampleMean(normal([40, 2], seed: 17))
    let bootstrap = MultiplierBootstrap(draws: 50, seed: 18)
    let few = #expect(throws: InferenceError.self) {
      try bootstrap.criticalValue(of: mean, level: 0.99)
    }
    #expect(few?.description.contains("at least 99 bootstrap draws, found 50") == true)
    #expect(throws: InferenceError.self) { try bootstrap.criticalValue(of: mean - mean) }
    // 99 draws do.
    let enough = MultiplierBootstrap(draws: 99, seed: 18)
    let critical = try enough.criticalValue(of: mean, level: 0.99)
    #expect(critical == enough.maxima(of: mean).max())
  }

  /// A sample long enough to be shared among threads, on the built-in matrix product.
  @Test("Same bits on any number of threads") func sameBitsOnAnyNumberOfThreads() async {
    await #expect(processExitsWith: .success) {
      setenv("ADJOINT_BLAS", "builtin", 1)
      let mean = try sampleMean(mixedRows(30_000, 3, seed: 19))
      let bootstrap = MultiplierBootstrap(draws: 70, seed: 20)
      Parallelism.threadCount = 1
      let one = bootstrap.maxima(of: mean)
      let covariance = mean.covariance
      Parallelism.threadCount = 2
      guard bootstrap.maxima(of: mean) == one, mean.covariance.isBitwiseEqual(to: covariance)
      else { fatalError("the bits depend on the number of threads") }
    }
  }
}
