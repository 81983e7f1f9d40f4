import Autodiff
import GradientCheck
import Neural
import TestSupport
import Testing

@Suite("Losses of classes")
struct ClassificationLossesTests {
  private let logOdds = Tensor(rows: [[0.3, -1.2], [2.5, 0.1], [-0.4, 3]])
  private let labels = Tensor(rows: [[0, 1], [1, 0.25], [0, 1]])
  private let scores = Tensor(rows: [[0.3, -1.2, 2], [2.5, 0.1, -0.5]])

  @Test("The logistic loss and its gradient agree with PyTorch")
  func logistic() throws {
    // PyTorch 2.15 in float64, binary_cross_entropy_with_logits.
    expectClose(
      Losses.logistic(logOdds, labels),
      [2.317637711806558, 0.7982863943661205, 0.5616026039736947], tolerance: 1e-15)
    expectClose(
      gradient(at: logOdds) { Losses.logistic($0, labels).sum() },
      [
        0.574442516811659, -0.7685247834990176, -0.07585818002124345, 0.27497918747894,
        0.401312339887548, -0.047425873177566635,
      ], tolerance: 1e-15)
    try requireGradients(at: logOdds) { Losses.logistic($0, labels) }
    // With respect to soft labels inside (0, 1): −v.
    let soft = Tensor([0.2, 0.7])
    expectClose(gradient(at: soft) { Losses.logistic(Tensor([3, -2]), $0).sum() }, [-3, 2])
  }

  @Test("The second derivative of the logistic loss is σ(v) σ(−v)")
  func logisticCurvature() {
    let v = Tensor([-3, 0, 0.5, 40])
    let found = hvp(at: v, along: Tensor.ones([4])) {
      Losses.logistic($0, Tensor([1, 0, 1, 0])).sum()
    }
    expectClose(found, (sigmoid(v) * sigmoid(-v)).scalars, tolerance: 1e-15)
  }

  @Test("Far log-odds neither overflow nor lose a small loss")
  func extremes() {
    let v = Tensor([800, -800, 40, -40])
    let right = Losses.logistic(v, Tensor([1, 0, 1, 0])).scalars
    #expect(right[0] == 0 && right[1] == 0)
    // e⁻⁴⁰, which 40 + e⁻⁴⁰ − 40 would lose.
    #expect(abs(right[2] / 4.248354255291589e-18 - 1) < 1e-14)
    #expect(right[3] == right[2])
    #expect(Losses.logistic(v, Tensor([0, 1, 0, 1])).scalars == [800, 800, 40, 40])
  }

  @Test("Softmax cross-entropies and their gradients agree with PyTorch")
  func softmax() throws {
    let labels = Tensor(indices: [2, 1])
    let probabilities = Tensor(rows: [[0.2, 0.3, 0.5], [0, 1, 0]])
    // PyTorch 2.15 in float64, cross_entropy with indices and with probabilities.
    expectClose(
      Losses.softmaxCrossEntropy(scores, labels: labels),
      [0.20167124495279057, 2.531471165763981], tolerance: 1e-15)
    expectClose(
      gradient(at: scores) { Losses.softmaxCrossEntropy($0, labels: labels).sum() },
      [
        0.1493188621833912, 0.03331754163216139, -0.18263640381555257, 0.8768045567628387,
        -0.9204580851756448, 0.043653528412806085,
      ], tolerance: 1e-15)
    expectClose(
      Losses.softmaxCrossEntropy(scores, probabilities: probabilities),
      [1.5016712449527907, 2.531471165763981], tolerance: 1e-15)
    expectClose(
      gradient(at: scores) {
        Losses.softmaxCrossEntropy($0, probabilities: probabilities).sum()
      },
      [
        -0.05068113781660882, -0.2666824583678386, 0.3173635961844474, 0.8768045567628387,
        -0.9204580851756448, 0.043653528412806085,
      ], tolerance: 1e-15)
    try requireGradients(at: scores) { Losses.softmaxCrossEntropy($0, labels: labels) }
    try requireGradients(at: scores, Tensor(rows: [[0.3, -0.2, 1], [0, 1, 2]])) {
      Losses.softmaxCrossEntropy($0, probabilities: $1.softmax())
    }
  }

  @Test("The Hessian of the softmax cross-entropy is diag(p) − p pᵀ")
  func softmaxCurvature() {
    let v = Tensor(rows: [[0.3, -1.2, 2]])
    let found = hessian(at: v) {
      Losses.softmaxCrossEntropy($0, labels: Tensor(indices: [1])).sum()
    }
    let p = v.softmax().flattened()
    expectClose(found, (p.embeddedDiagonal() - outer(p, p)).scalars, tolerance: 1e-15)
  }

  @Test("Large scores do not overflow, and excluded classes cost nothing")
  func extremeScores() {
    let large = Tensor(rows: [[1e6, 1e6 + 1, -1e6]])
    let expected = 1.3132616875182228  // ln(1 + e)
    expectClose(Losses.softmaxCrossEntropy(large, labels: Tensor(indices: [0])), [expected])
    let masked = Tensor(rows: [[0, 1, -Double.infinity]])
    let p = Tensor(rows: [[1, 0, 0]])
    for loss in [
      { Losses.softmaxCrossEntropy($0, labels: Tensor(indices: [0])) },
      { Losses.softmaxCrossEntropy($0, probabilities: p) },
    ] as [(Tensor) -> Tensor] {
      expectClose(loss(masked), [expected])
      let q = 0.7310585786300049  // 1 / (1 + e⁻¹)
      expectClose(gradient(at: masked) { loss($0).sum() }, [-q, q, 0])
    }
  }

  @Test("Infinite log-odds cost nothing where the label agrees, and everything elsewhere")
  func infiniteLogOdds() {
    let v = Tensor([.infinity, -.infinity, .infinity, -.infinity])
    let labels = Tensor([1, 0, 0, 1])
    #expect(Losses.logistic(v, labels).scalars == [0, 0, .infinity, .infinity])
    #expect(gradient(at: v) { Losses.logistic($0, labels).sum() }.scalars == [0, 0, 1, -1])
    let second = hvp(at: v, along: Tensor.ones([4])) { Losses.logistic($0, labels).sum() }
    #expect(second.scalars == [0, 0, 0, 0])
  }

  @Test("A label on an excluded class costs +∞; one on a certain class nothing")
  func excludedLabels() {
    let scores = Tensor(rows: [[0, -.infinity, 1], [2, 0, -.infinity], [.infinity, 0, 0]])
    let labels = Tensor(indices: [1, 2, 0])
    let p = Tensor(rows: [[0.5, 0.5, 0], [0, 0, 1], [1, 0, 0]])
    #expect(
      Losses.softmaxCrossEntropy(scores, labels: labels).scalars == [.infinity, .infinity, 0])
    #expect(
      Losses.softmaxCrossEntropy(scores, probabilities: p).scalars == [.infinity, .infinity, 0])
    // p − 1 at the label, which its score can still be raised towards.
    let slope = gradient(at: scores) { Losses.softmaxCrossEntropy($0, labels: labels).sum() }
    let q = 0.7310585786300049  // 1 / (1 + e⁻¹)
    let r = 0.8807970779778824  // 1 / (1 + e⁻²)
    expectClose(slope, [1 - q, -1, q, r, 1 - r, -1, 0, 0, 0])
  }

  @Test("A common offset of the scores changes nothing, in single precision")
  func offsets() {
    let scores = (Tensor(rows: [[0, 1, 2]]) + 1e4).cast(to: .float32)
    let p = Tensor(rows: [[0.5, 0.25, 0.25]])
    // mpmath: ln(1 + e + e²) − 3/4.
    let soft = Losses.softmaxCrossEntropy(scores, probabilities: p.cast(to: .float32))
    expectClose(soft, [1.6576059644443803], tolerance: 1e-6)
    let hard = Losses.softmaxCrossEntropy(scores, labels: Tensor(indices: [2]))
    expectClose(hard, [0.4076059644443803], tolerance: 1e-6)
  }

  @Test("A small loss and its derivatives keep their digits, by label and by probabilities")
  func smallLosses() {
    let v = Tensor(rows: [[40, 0, -700]])
    let p = Tensor(rows: [[1, 0, 0]])
    let small = 4.248354255291589e-18  // e⁻⁴⁰
    for loss in [
      { Losses.softmaxCrossEntropy($0, labels: Tensor(indices: [0])).sum() },
      { Losses.softmaxCrossEntropy($0, probabilities: p).sum() },
    ] as [(Tensor) -> Tensor] {
      #expect(abs(loss(v).scalar / small - 1) < 1e-14)
      let slope = gradient(at: v, of: loss).scalars
      let curvature = hvp(at: v, along: Tensor(rows: [[1, 0, 0]]), of: loss).scalars
      #expect(abs(slope[0] / -small - 1) < 1e-14 && abs(slope[1] / small - 1) < 1e-14)
      #expect(abs(curvature[0] / small - 1) < 1e-14 && abs(curvature[1] / -small - 1) < 1e-14)
    }
  }

  @Test("Refuses labels and probabilities that are none")
  func refusals() async {
    let sign = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Losses.logistic(Tensor([1, 2]), Tensor([-1, 1]))
    }
    expectMessage(sign, "logistic: expected labels in [0, 1]", "map labels ±1 by (y + 1) / 2")
    let label = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Losses.softmaxCrossEntropy(Tensor.zeros([2, 3]), labels: Tensor(indices: [0, 3]))
    }
    expectMessage(label, "softmaxCrossEntropy: label 3 in row 1 is not in 0..<3")
    let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Losses.softmaxCrossEntropy(Tensor.zeros([2, 3]), labels: Tensor([0, 1]))
    }
    expectMessage(shape, "softmaxCrossEntropy: scores [2, 3] need int32 labels [2], found [2]")
    let sum = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let p = Tensor(rows: [[0.5, 0.4]])
      _ = Losses.softmaxCrossEntropy(Tensor.zeros([1, 2]), probabilities: p)
    }
    expectMessage(sum, "softmaxCrossEntropy: expected rows of probabilities")
    let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let p = Tensor(rows: [[1.5, -0.5]])
      _ = Losses.softmaxCrossEntropy(Tensor.zeros([1, 2]), probabilities: p)
    }
    expectMessage(negative, "softmaxCrossEntropy: expected rows of probabilities")
  }
}
