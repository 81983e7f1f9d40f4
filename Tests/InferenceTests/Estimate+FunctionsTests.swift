import Autodiff
import Inference
import TestSupport
import Testing

@Suite("Functions of estimates") struct EstimateFunctionsTests {
  private let data = mixedRows(40, 3, seed: 1)

  @Test("A linear map transforms values and covariance") func linearMap() throws {
    let mean = try sampleMean(data)
    let matrix = normal([2, 3], seed: 2)
    let mapped = try mean.mapped(by: matrix, names: ["u", "v"])
    let reference = matmul(matmul(matrix, mean.covariance), matrix, transposeB: true)
    #expect(relativeDifference(mapped.covariance, reference) < 1e-13)
    #expect(relativeDifference(mapped.value, matmul(matrix, mean.value)) < 1e-14)
    #expect(mapped.names == ["u", "v"])
    let unnamed = try mean.mapped(by: matrix)
    #expect(unnamed.names == ["[0]", "[1]"])
  }

  /// f(a, b, c) = (a b, eᶜ, a/b) with its Jacobian by hand.
  @Test("The delta method multiplies by the Jacobian") func deltaMethod() throws {
    let mean = try sampleMean(data)
    let transformed = try mean.transformed(names: ["product", "exponential", "ratio"]) { x in
      Tensor.stacked([x[0] * x[1], exp(x[2]), x[0] / x[1]])
    }
    let (a, b, c) = (mean.value.scalars[0], mean.value.scalars[1], mean.value.scalars[2])
    let exponential = exp(Tensor(c)).scalar
    let derivative = Tensor(rows: [[b, a, 0], [0, 0, exponential], [1 / b, -a / (b * b), 0]])
    let reference = matmul(
      matmul(derivative, mean.covariance), derivative, transposeB: true)
    #expect(relativeDifference(transformed.covariance, reference) < 1e-12)
    #expect(relativeDifference(transformed.value, Tensor([a * b, exponential, a / b])) < 1e-14)
  }

  @Test("Delta method of scalar function") func deltaMethodOfScalarFunction() throws {
    let mean = try sampleMean(data)
    let squared = try mean.transformed { square($0).sum() }
    let gradient = 2 * mean.value
    let variance = dot(gradient, matmul(mean.covariance, gradient)).scalar
    #expect(abs(squared.covariance.scalars[0] / variance - 1) < 1e-12)
    #expect(squared.names == ["[0]"])
  }

  @Test("Delta method refuses what has no derivative") func deltaMethodRefusesWhatHasNoDerivative()
    throws
  {
    let zero = try sampleMean(Tensor(rows: [[-1], [1]]))
    let derivative = #expect(throws: InferenceError.self) {
      try zero.transformed(names: ["root"]) { sqrt($0) }
    }
    #expect(derivative?.description.contains("that of root is infinite or NaN") == true)
    let value = #expect(throws: InferenceError.self) { try zero.transformed { log($0) } }
    #expect(value?.description.contains("[0] is infinite or NaN") == true)
    struct Failure: Error {}
    let thrown = #expect(throws: InferenceError.self) {
      try zero.transformed { _ in throw Failure() }
    }
    #expect(thrown?.description == "Failure()")
  }

  @Test("A selection keeps values and covariances") func selection() throws {
    let mean = try sampleMean(data)
    let selected = mean.selected([2, 0])
    #expect(selected.names == ["x2", "x0"])
    let columns = Tensor(indices: [2, 0])
    let reference = mean.covariance.gathering(columns, alongAxis: 0)
      .gathering(columns, alongAxis: 1)
    #expect(relativeDifference(selected.covariance, reference) < 1e-14)
    #expect(selected.value.scalars == [mean.value.scalars[2], mean.value.scalars[0]])
  }

  /// Side by side, the rows of one sample give the covariance between estimates too.
  @Test("Stacked estimates keep their covariance") func stacking() throws {
    let whole = try sampleMean(data)
    let parts = Estimate.stacked([whole.selected([0]), whole.selected([1, 2])])
    #expect(parts.covariance.isBitwiseEqual(to: whole.covariance))
    #expect(parts.names == whole.names)

    let other = try sampleMean(mixedRows(15, 2, seed: 3), "other")
    let mixed = Estimate.stacked([other, whole + whole, whole], labels: ["o", "2w", "w"])
    #expect(mixed.names == ["o x0", "o x1", "2w x0", "2w x1", "2w x2", "w x0", "w x1", "w x2"])
    #expect(mixed.influence.count == 2)
    let c = whole.covariance
    let own = Tensor.concatenated(
      [
        Tensor.concatenated([4 * c, 2 * c], alongAxis: 1),
        Tensor.concatenated([2 * c, c], alongAxis: 1),
      ])
    let found = mixed.covariance
    #expect(relativeDifference(found[2..<8, 2..<8], own) < 1e-13)
    #expect(relativeDifference(found[0..<2, 0..<2], other.covariance) < 1e-14)
    #expect(found[0..<2, 2..<8].normInfinity().scalar == 0)
  }

  @Test("Wrong shapes stop") func wrongShapesStop() async {
    await #expect(processExitsWith: .failure) {
      _ = try sampleMean(normal([5, 2], seed: 1)).mapped(by: Tensor.zeros([2, 3]))
    }
    await #expect(processExitsWith: .failure) {
      _ = try sampleMean(normal([5, 2], seed: 1)).selected([2])
    }
    await #expect(processExitsWith: .failure) {
      _ = Estimate.stacked([try sampleMean(normal([5, 2], seed: 1))], labels: [])
    }
  }
}
