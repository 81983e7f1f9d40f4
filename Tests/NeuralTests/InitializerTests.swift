import Autodiff
import Neural
import TestSupport
import Testing

@Suite("Initializer")
struct InitializerTests {
  private static let fans = Initializer.Fans(input: 300, output: 200)

  private func draw(
    _ initializer: Initializer, _ shape: Shape = [300, 200], _ type: ScalarType = .float64,
    seed: UInt64 = 11
  ) -> Tensor {
    var generator = PhiloxGenerator(seed: seed)
    return initializer.tensor(shape, Self.fans, type, using: &generator)
  }

  /// Expected variance, and the bound of a uniform distribution.
  private static let distributions:
    [(name: String, initializer: Initializer, variance: Double, bound: Double?)] = [
      ("fanInUniform", .fanInUniform, 1.0 / 900, 1 / 300.0.squareRoot()),
      ("glorotUniform", .glorotUniform, 2.0 / 500, (6.0 / 500).squareRoot()),
      ("glorotNormal", .glorotNormal, 2.0 / 500, nil),
      ("heUniform", .heUniform, 2.0 / 300, (6.0 / 300).squareRoot()),
      ("heNormal", .heNormal, 2.0 / 300, nil),
    ]

  @Test("Moments of 60,000 elements lie within five standard errors")
  func moments() {
    let n = 60_000.0
    for (name, initializer, variance, bound) in Self.distributions {
      let x = draw(initializer)
      let mean = x.mean().scalar
      #expect(abs(mean) < 5 * (variance / n).squareRoot(), "\(name): mean \(mean)")
      // Excess of the fourth moment: κ = 3 for a normal and 9/5 for a uniform distribution.
      let kurtosis = bound == nil ? 3.0 : 1.8
      let second = square(x).mean().scalar
      let error = variance * ((kurtosis - 1) / n).squareRoot()
      #expect(abs(second - variance) < 5 * error, "\(name): second moment \(second)")
      let fourth = square(square(x)).mean().scalar / (second * second)
      #expect(abs(fourth - kurtosis) < 0.15, "\(name): kurtosis \(fourth)")
      if let bound {
        let largest = x.normInfinity().scalar
        #expect(largest <= bound && largest > 0.999 * bound, "\(name): bound \(largest)")
      }
    }
  }

  @Test("The same seed gives the same bits, float32 the rounded float64")
  func seeds() {
    for (name, initializer, variance, _) in Self.distributions {
      let x = draw(initializer)
      #expect(x.isBitwiseEqual(to: draw(initializer)), "\(name)")
      #expect(!x.isBitwiseEqual(to: draw(initializer, seed: 12)), "\(name)")
      let single = draw(initializer, [300, 200], .float32)
      let distance = (single.cast(to: .float64) - x).normInfinity().scalar
      #expect(single.scalarType == .float32 && distance < 1e-6 * variance.squareRoot(), "\(name)")
    }
  }

  @Test("Constants, and an initialiser of one's own")
  func constants() {
    #expect(draw(.zeros, [2, 2]).scalars == [0, 0, 0, 0])
    #expect(draw(.constant(-1.5), [3], .float32).scalars == [-1.5, -1.5, -1.5])
    let ramp = Initializer { shape, fans, type, _ in
      (Tensor.range(shape.elementCount, type) / Double(fans.input)).reshaped(to: shape)
    }
    #expect(draw(ramp, [2]).scalars == [0, 1.0 / 300])
  }

  @Test(
    "Orthogonal: orthonormal rows or columns, scaled by the gain",
    arguments: [[8, 8], [40, 7], [7, 40], [1, 5], [5, 1], [128, 128]])
  func orthogonal(_ sizes: [Int]) {
    let isTall = sizes[0] > sizes[1]
    let count = min(sizes[0], sizes[1])
    for type in [ScalarType.float32, .float64] {
      let q = draw(.orthogonal(gain: 2), Shape(sizes), type)
      #expect(q.shape == Shape(sizes) && q.scalarType == type)
      let wide = q.cast(to: .float64)
      let gram = matmul(wide, wide, transposeA: isTall, transposeB: !isTall)
      let defect = (gram - 4 * Tensor.identity(count)).normInfinity().scalar
      #expect(defect / 4 < 20 * type.ulpOfOne, "\(sizes) \(type): \(defect)")
      #expect(q.isBitwiseEqual(to: draw(.orthogonal(gain: 2), Shape(sizes), type)))
    }
  }

  @Test("Orthogonal matrices are uniform: the trace has mean 0 and variance 1, either determinant")
  func uniformity() throws {
    // Under the uniform (Haar) distribution on orthogonal n × n matrices the trace has mean 0 and
    // variance 1 for n ≥ 2; without the unique sign of QR the diagonal would be biased.
    var generator = PhiloxGenerator(seed: 4)
    var (sum, squares, positive) = (0.0, 0.0, 0)
    let count = 2000
    for _ in 0..<count {
      let q = Initializer.orthogonal().tensor([4, 4], Self.fans, .float64, using: &generator)
      let trace = q.trace().scalar
      sum += trace
      squares += trace * trace
      if try logAbsoluteDeterminant(q).sign.scalar > 0 { positive += 1 }
    }
    let n = Double(count)
    #expect(abs(sum / n) < 5 / n.squareRoot())
    // The fourth moment of the trace is 3, so the variance of its square is 2.
    #expect(abs(squares / n - 1) < 5 * (2 / n).squareRoot())
    #expect(abs(Double(positive) / n - 0.5) < 2.5 / n.squareRoot())
  }

  @Test("Refuses orthogonal vectors and integer parameters")
  func refusals() async {
    let vector = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      let fans = Initializer.Fans(input: 3, output: 3)
      _ = Initializer.orthogonal().tensor([3], fans, .float64, using: &generator)
    }
    expectMessage(vector, "Initializer.orthogonal: expected the shape of a matrix, found [3]")
    let type = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      _ = Dense(inputSize: 2, outputSize: 2, scalarType: .int32, using: &generator)
    }
    expectMessage(type, "Initializer: parameters are float32 or float64, not int32")
  }
}
