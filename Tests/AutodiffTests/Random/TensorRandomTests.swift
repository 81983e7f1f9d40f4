import Autodiff
import Testing

@Suite("Random tensors")
struct TensorRandomTests {
  @Test("The same seed gives the same bits; the state moves on")
  func reproducible() {
    var a = PhiloxGenerator(seed: 9)
    var b = PhiloxGenerator(seed: 9)
    let first = Tensor.normal([3, 4], .float32, using: &a)
    #expect(first.isBitwiseEqual(to: Tensor.normal([3, 4], .float32, using: &b)))
    #expect(!first.isBitwiseEqual(to: Tensor.normal([3, 4], .float32, using: &a)))
  }

  @Test("Distributions have their ranges and moments")
  func distributions() {
    var generator = PhiloxGenerator(seed: 10)
    let count = 100_000
    let uniform = Tensor.uniform([count], from: -2, to: 3, using: &generator)
    #expect(uniform.min().scalar >= -2 && uniform.max().scalar < 3)
    // Five standard errors.
    let error = 5 / Double(count).squareRoot()
    #expect(abs(uniform.mean() - 0.5).scalar < error * (25.0 / 12).squareRoot())
    let normal = Tensor.normal([count], mean: 1, standardDeviation: 2, using: &generator)
    #expect(abs(normal.mean() - 1).scalar < 2 * error)
    #expect(abs(normal.variance() - 4).scalar < 4 * 2.0.squareRoot() * error)
    let tail = Tensor.truncatedNormal([1000], from: 8, to: .infinity, using: &generator)
    #expect(tail.min().scalar >= 8)
    let integers = Tensor.integers([count], in: -1..<2, using: &generator)
    #expect(integers.scalarType == .int32)
    #expect(abs(integers.cast(to: .float64).mean()).scalar < error)
    let permutation = Tensor.permutation(50, using: &generator)
    #expect(permutation.scalars.sorted() == (0..<50).map(Double.init))
    let chosen = Tensor.choice(10, from: 20, withReplacement: false, using: &generator)
    #expect(Set(chosen.scalars).count == 10)
    let weighted = Tensor.choice(
      count, weights: [1, 0, 3], withReplacement: true, using: &generator)
    let share = (weighted .== 2).cast(to: .float64).mean().scalar
    #expect((share - 0.75).magnitude < error)
    #expect(!(weighted .== 1).elements(as: Bool.self).contains(true))
  }
}
