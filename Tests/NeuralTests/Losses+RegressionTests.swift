import Autodiff
import GradientCheck
import Neural
import TestSupport
import Testing

@Suite("Losses of residuals")
struct RegressionLossesTests {
  private let prediction = Tensor(rows: [[0.3, -1.2], [2.5, 0.1], [-0.4, 3]])
  private let target = Tensor(rows: [[0.1, 0.2], [0.5, 0.7], [-2, 1]])

  @Test("The Huber loss and its gradient agree with PyTorch")
  func huber() throws {
    // PyTorch 2.15 in float64, huber_loss with delta 0.8.
    let loss = { (v: Tensor) in Losses.huber(v, target, delta: 0.8) }
    expectClose(loss(prediction), [0.82, 1.46, 2.24], tolerance: 1e-15)
    expectClose(
      gradient(at: prediction) { loss($0).sum() }, [0.2, -0.8, 0.8, -0.6, 0.8, 0.8],
      tolerance: 1e-15)
    try requireGradients(at: prediction, target) { Losses.huber($0, $1, delta: 0.8) }
  }

  @Test("The second derivative of the Huber loss is 1 inside, 0 outside and 3/4 at the joint")
  func huberCurvature() {
    let v = Tensor([0, 0.25, -0.4, 0.5, -0.5, 0.75, -3])
    let loss = { (v: Tensor) in Losses.huber(v, Tensor.zeros([7]), delta: 0.5).sum() }
    #expect(hvp(at: v, along: Tensor.ones([7]), of: loss).scalars == [1, 1, 1, 0.75, 0.75, 0, 0])
    #expect(gradient(at: v, of: loss).scalars == [0, 0.25, -0.4, 0.5, -0.5, 0.5, -0.5])
  }

  @Test("The quantile loss, its slopes and the subgradient 0 at the kink")
  func quantile() throws {
    let (v, y) = (Tensor([1, 2, 3]), Tensor([3, 2, 2.5]))
    let (value, slope) = valueWithGradient(at: v) { Losses.quantile($0, y, level: 0.2).sum() }
    expectClose(Losses.quantile(v, y, level: 0.2), [0.4, 0, 0.4], tolerance: 1e-15)
    expectClose(value, [0.8], tolerance: 1e-15)
    expectClose(slope, [-0.2, 0, 0.8], tolerance: 1e-15)
    try requireGradients(at: prediction, target) { Losses.quantile($0, $1, level: 0.7) }
  }

  @Test("A constant that minimises the mean quantile loss is a quantile of the sample")
  func minimizer() {
    let y = Tensor([5, -1, 3, 0, 8, 2, 9, 4, 7])
    // The 7th of 9 in order: 6 below with 6/9 < 0.7 and 7/9 ≥ 0.7.
    let costs = y.scalars.map { candidate in
      Losses.quantile(Tensor(repeating: candidate, shape: [9]), y, level: 0.7).mean().scalar
    }
    let best = costs.indices.min { costs[$0] < costs[$1] }
    #expect(best.map { y.scalars[$0] } == 7)
  }

  @Test("The smoothed quantile loss has the closed form, its slope and its curvature")
  func smoothed() throws {
    let (v, y) = (Tensor([1, 2, 3, -0.5]), Tensor([3, 2, 2.5, -0.4]))
    let (level, h) = (0.2, 0.5)
    let loss = { (v: Tensor) in Losses.smoothedQuantile(v, y, level: level, bandwidth: h) }
    let u = (y - v) / h
    expectClose(loss(v), (level * (y - v) + h * log(onePlus: exp(-u))).scalars, tolerance: 1e-14)
    // ∂/∂v = σ(−u) − τ, ∂²/∂v² = σ(u) σ(−u) / h.
    expectClose(
      gradient(at: v) { loss($0).sum() }, (sigmoid(-u) - level).scalars, tolerance: 1e-14)
    let curvature = hvp(at: v, along: Tensor.ones([4])) { loss($0).sum() }
    expectClose(curvature, (sigmoid(u) * sigmoid(-u) / h).scalars, tolerance: 1e-14)
    #expect((curvature .> 0).allTrue)
    try requireGradients(at: v, y) {
      Losses.smoothedQuantile($0, $1, level: 0.2, bandwidth: 0.5)
    }
  }

  @Test("Smoothing is convolution with the logistic density, by quadrature")
  func convolution() {
    let (level, h, v) = (0.3, 0.4, 0.25)
    // ∫ ρ(0 − v − h s) σ(s) σ(−s) ds by the midpoint rule on [−40, 40].
    let steps = 400_000
    let s = (Tensor.range(steps) + 0.5) * (80.0 / Double(steps)) - 40
    let shifted = v + h * s
    let values = Losses.quantile(shifted, Tensor.zeros([steps]), level: level)
    let integral = (values * sigmoid(s) * sigmoid(-s)).sum().scalar * 80 / Double(steps)
    let found = Losses.smoothedQuantile(Tensor([v]), Tensor([0]), level: level, bandwidth: h)
    expectClose(found, [integral], tolerance: 1e-8)
  }

  @Test("It exceeds the quantile loss by at most h ln 2, vanishingly far away, without overflow")
  func bounds() {
    let near = Tensor([0, 0.1, -0.3, 0.6])
    let excess =
      (Losses.smoothedQuantile(near, Tensor.zeros([4]), level: 0.9, bandwidth: 0.1)
      - Losses.quantile(near, Tensor.zeros([4]), level: 0.9)).scalars
    #expect(excess.allSatisfy { $0 > 0 && $0 < 0.069314718055995 })
    #expect(abs(excess[0] - 0.06931471805599453) < 1e-16)
    let far = Tensor([5, -5, 1e6, -1e6])
    expectClose(
      Losses.smoothedQuantile(far, Tensor.zeros([4]), level: 0.9, bandwidth: 0.1),
      Losses.quantile(far, Tensor.zeros([4]), level: 0.9).scalars, tolerance: 1e-15)
  }

  @Test("An infinite residual has an infinite loss of bounded slope")
  func infiniteResiduals() {
    let v = Tensor([.infinity, -.infinity])
    let y = Tensor([0, 1])
    let robust: [(Tensor) -> Tensor] = [
      { Losses.huber($0, y, delta: 0.5).sum() },
      { Losses.quantile($0, y, level: 0.5).sum() },
      { Losses.smoothedQuantile($0, y, level: 0.5, bandwidth: 0.1).sum() },
    ]
    for loss in robust {
      #expect(loss(v).scalar == .infinity)
      #expect(gradient(at: v, of: loss).scalars == [0.5, -0.5])
    }
  }

  @Test("Refuses parameters without meaning")
  func refusals() async {
    let delta = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Losses.huber(Tensor([1]), Tensor([2]), delta: 0)
    }
    expectMessage(delta, "huber: expected a positive delta, found 0.0")
    let level = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Losses.quantile(Tensor([1]), Tensor([2]), level: 1)
    }
    expectMessage(level, "quantile: expected a level in (0, 1), found 1.0")
    let width = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Losses.smoothedQuantile(Tensor([1]), Tensor([2]), level: 0.5, bandwidth: -1)
    }
    expectMessage(width, "smoothedQuantile: expected a positive bandwidth, found -1.0")
  }
}
