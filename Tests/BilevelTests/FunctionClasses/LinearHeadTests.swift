import Autodiff
import Bilevel
import GradientCheck
import TestSupport
import Testing

@Suite("Linear heads")
struct LinearHeadTests {
  private static func normal(_ shape: Shape, _ seed: UInt64) -> Tensor {
    var generator = PhiloxGenerator(seed: seed)
    return Tensor.normal(shape, using: &generator)
  }

  @Test("The weights minimise the loss: its gradient vanishes", arguments: [true, false])
  func stationarity(hasIntercept: Bool) throws {
    let head = LinearHead(ridge: 0.05, hasIntercept: hasIntercept)
    let (features, targets) = (Self.normal([30, 4], 1), Self.normal([30, 2], 2))
    let weights = try head.fit(features, to: targets)
    #expect(weights.shape == [hasIntercept ? 5 : 4, 2])
    let slope = gradient(at: weights) { head.loss(features, targets: targets, weights: $0) }
    #expect(slope.normInfinity().scalar < 1e-14)
  }

  @Test("Without a penalty, exact linear data are recovered")
  func exactData() throws {
    let features = Self.normal([20, 3], 3)
    let truth = Tensor(rows: [[1], [-2], [0.5], [7]])
    let head = LinearHead(ridge: 0)
    let targets = head.predict(features, weights: truth)
    let weights = try head.fit(features, to: targets)
    #expect((weights - truth).normInfinity().scalar < 1e-12)
  }

  @Test("The solution is differentiable in features and targets to second order")
  func derivatives() throws {
    let head = LinearHead(ridge: 0.1)
    try requireGradients(at: Self.normal([6, 2], 4), Self.normal([6, 1], 5)) {
      (features: Tensor, targets: Tensor) throws(LinearAlgebraError) -> Tensor in
      try head.fit(features, to: targets)
    }
  }

  @Test("Features that vanish cannot be fitted without a penalty, and can with one")
  func singular() throws {
    let features = Tensor.zeros([10, 2])
    let targets = Self.normal([10, 1], 6)
    #expect(throws: LinearAlgebraError.notPositiveDefinite(pivot: 0, matrix: 0)) {
      try LinearHead(ridge: 0).fit(features, to: targets)
    }
    let weights = try LinearHead(ridge: 0.5).fit(features, to: targets)
    // Only the intercept is left: mean / (1 + λ).
    #expect(abs(weights[2, 0] - targets.mean() / 1.5).scalar < 1e-15)
  }
}
