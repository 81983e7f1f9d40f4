import Autodiff
import HyperparameterProblems
import Testing

@Suite("Solutions") struct SolutionTests {
  /// On the bundled data, at rest to 10⁻¹³ of the terms that cancel.
  @Test("Solutions are at rest") func solutionsAreAtRest() throws {
    let mpg = try BundledData.mpg()
    let liver = try BundledData.liver()
    for (data, loss) in [(mpg, RowLoss.squared), (liver.training, .logistic)] {
      let inner = PenalizedRegression(data, loss: loss)
      for level in [-3.0, 0, 6] {
        let y = Tensor(repeating: level, shape: [inner.innerSize])
        let x = try inner.solution(at: y)
        #expect(inner.residual(x, y).norm().scalar <= 1e-13 * inner.scale(x, y))
      }
    }
  }

  /// Separable classes with almost no penalty: far steps that full Newton would not survive.
  @Test("Separable classes are solved") func separableClassesAreSolved() throws {
    let data = LabeledData(
      source: "t", features: Tensor(rows: [[-3], [-1], [2], [5]]), labels: Tensor([-1, -1, 1, 1]))
    let inner = PenalizedRegression(data, loss: .logistic)
    let y = Tensor([-12])
    let far = try inner.solution(at: y, from: Tensor([40]))
    let near = try inner.solution(at: y)
    #expect(abs(far.scalars[0] - near.scalars[0]) < 1e-8 * near.scalars[0])
    #expect(inner.residual(far, y).norm().scalar <= 1e-13 * inner.scale(far, y))
  }

  @Test("Unsolvable problems say so") func unsolvableProblemsSaySo() {
    let data = LabeledData(
      source: "t", features: Tensor(rows: [[1, 1], [2, 2]]), labels: Tensor([1, 2]))
    let inner = PenalizedRegression(data, loss: .squared)
    let vanishing = Tensor([-2000, -2000])  // exp underflows to 0
    let error = #expect(throws: ProblemError.self) { try inner.solution(at: vanishing) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("choose larger penalties"))
  }

  /// A float32 problem has the exact answer of its own, rounded, data.
  @Test("Single precision keeps its own truth") func singlePrecisionKeepsItsOwnTruth() throws {
    let data = try BundledData.liver()
    var draw = ProblemDraw(loss: .logistic, outer: .validation)
    let double = try draw.problem(on: data, seed: 1)
    draw.scalarType = .float32
    let single = try draw.problem(on: data, seed: 1)
    #expect(single.hypergradient.scalarType == .float64)
    #expect(single.inner(single.start, single.hyperparameters).scalarType == .float32)
    let drift = (single.solution - double.solution).norm().scalar / double.solution.norm().scalar
    #expect(drift > 0 && drift < 1e-5)
    let exact = single.regression.cast(to: .float64)
    let y = single.hyperparameters.cast(to: .float64)
    #expect(
      exact.residual(single.solution, y).norm().scalar <= 1e-13 * exact.scale(single.solution, y))
  }
}
