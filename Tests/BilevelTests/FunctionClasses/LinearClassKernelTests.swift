import Autodiff
import Bilevel
import GradientCheck
import Testing

@Suite("Kernels")
struct LinearClassKernelTests {
  private static let x: Tensor = {
    var generator = PhiloxGenerator(seed: 51)
    return Tensor.normal([15, 2], using: &generator)
  }()
  private static let points: Tensor = {
    var generator = PhiloxGenerator(seed: 52)
    return Tensor.normal([4, 2], using: &generator)
  }()

  /// k(X′, X) (K + n λ I)⁻¹ y, the solution of kernel ridge regression with the mean of squares.
  private static func closedForm(
    _ kernel: Kernel, _ y: Tensor, ridge: Double
  ) throws(LinearAlgebraError) -> Tensor {
    let n = x.shape[0]
    let system = kernel(x, x) + Double(n) * ridge * Tensor.identity(n, .float64)
    return matmul(kernel(points, x), try solvePositiveDefinite(system, y))
  }

  @Test(
    "Kernel ridge regression is the closed form, with its derivatives",
    arguments: [
      Kernel.gaussian(lengthScale: 0.9), .laplace(lengthScale: 1.5),
      .polynomial(degree: 2, offset: 1),
    ])
  func ridgeRegression(kernel: Kernel) throws {
    let (ridge, y) = (0.03, Self.x[0..., 0...1])
    let linearClass = try LinearClass.kernel(kernel, points: Self.x, ridge: ridge)
    let layer = FuncID<Tensor, Tensor>(outputCount: 2, in: .linear(linearClass)) { ω, v, x, y in
      square(v - sin(ω * y)).sum(alongAxis: 1)
    }
    func loss(_ ω: Tensor) throws -> Tensor {
      let h = try layer.solution(at: ω, on: FunctionalSample(inputs: Self.x, labels: y))
      return square(try h(Self.points) - 0.2).mean()
    }
    func reference(_ ω: Tensor) throws -> Tensor {
      square(try Self.closedForm(kernel, sin(ω * y), ridge: ridge) - 0.2).mean()
    }
    let ω = Tensor(1.3)
    #expect(abs(try loss(ω).scalar - (try reference(ω).scalar)) < 1e-10)
    #expect(
      abs(try gradient(at: ω, of: loss).scalar - (try gradient(at: ω, of: reference).scalar)) < 1e-9
    )
    #expect(
      abs(try hessian(at: ω, of: loss).scalar - (try hessian(at: ω, of: reference).scalar)) < 1e-8)
    try requireGradients(at: ω, of: loss)
  }

  @Test("A Gaussian kernel is smooth where its rows coincide")
  func coincidence() throws {
    let kernel = Kernel.gaussian(lengthScale: 0.7)
    for row in 0..<Self.x.shape[0] {
      let point = Self.x[row..<row + 1]
      let second = try hessian(at: point) { (p: Tensor) throws -> Tensor in
        kernel(p, point)[0, 0]
      }.flattened()
      let expected = [-1 / 0.49, 0, 0, -1 / 0.49]
      for (a, b) in zip(second.scalars, expected) { #expect(abs(a - b) < 1e-6) }
    }
  }

  @Test("Random Fourier features approach the Gaussian kernel")
  func randomFourier() {
    var generator = PhiloxGenerator(seed: 53)
    let count = 20_000
    let features = LinearClass.randomFourier(
      inputSize: 2, count: count, lengthScale: 0.8, ridge: 0.1, using: &generator)
    let phi = features.features(Self.x)
    let kernel = Kernel.gaussian(lengthScale: 0.8)(Self.x, Self.x)
    let error = abs(matmul(phi, phi, transposeB: true) - kernel).max().scalar
    // Each entry is a mean of `count` products of variance at most 1.
    #expect(error < 5 / Double(count).squareRoot())
    #expect(error > 0.1 / Double(count).squareRoot())
  }
}
