import Autodiff
import Bilevel
import Orthogonal
import Solvers
import TestSupport
import Testing

@Suite("Fitted regressions")
struct FittedRegressionTests {
  private let inputs = normal([40, 2], seed: 1)
  private let targets = normal([40, 3], seed: 2)
  private let points = normal([7, 2], seed: 3)

  @Test("A ridge regression is the solution of its normal equations", arguments: [0, 0.3])
  func normalEquations(ridge: Double) throws {
    let regression = try NuisanceLearner.linear(
      LinearClass(ridge: ridge, hasIntercept: true, penalizesIntercept: false) { $0 }
    ).fitted(inputs: inputs, targets: targets)
    func features(_ x: Tensor) -> Tensor {
      .concatenated([x, .ones([x.shape[0], 1])], alongAxis: 1)
    }
    let phi = features(inputs)
    let penalty = Tensor.identity(3) * Tensor([2 * ridge, 2 * ridge, 0])
    let weights = try solve(
      matmul(phi, phi, transposeA: true) / 40 + penalty,
      matmul(phi, targets, transposeA: true) / 40)
    #expect(isClose(regression(points), matmul(features(points), weights), tolerance: 1e-11))
  }

  @Test("The seed is that of the learner, and targets of float32 are taken")
  func seeds() throws {
    let learner = NuisanceLearner.kernelRidge(
      .gaussian(lengthScale: 1), ridge: .fixed(0.1), landmarkCount: 10)
    func values(_ seed: UInt64, _ type: ScalarType = .float64) throws -> Tensor {
      try learner.fitted(inputs: inputs, targets: targets.cast(to: type), seed: seed)(points)
    }
    #expect(try values(1).isBitwiseEqual(to: values(1)))
    #expect(try !values(1).isBitwiseEqual(to: values(2)))
    #expect(isClose(try values(1, .float32), try values(1), tolerance: 1e-5))
  }

  @Test("Numbers that are not finite and dependent features are refused")
  func refused() throws {
    let linear = NuisanceLearner.linear(LinearClass(ridge: 0) { $0 })
    #expect {
      try linear.fitted(inputs: inputs, targets: targets / 0)
    } throws: { "\($0)".contains("targets") }
    #expect(throws: SolverError.self) {
      try linear.fitted(inputs: .zeros([40, 2]), targets: targets)
    }
  }
}
