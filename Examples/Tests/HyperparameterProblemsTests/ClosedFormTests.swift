import Autodiff
import HyperparameterProblems
import Testing

/// The closed forms against automatic differentiation and against differences of h.
@Suite("Closed form") struct ClosedFormTests {
  /// One problem of each loss with its outer objectives.
  private static func data(_ loss: RowLoss) throws -> DataSplit {
    try SimulatedData(rows: 40, validationRows: 30, features: 4).sample(for: loss, seed: 3)
  }

  private static func relative(_ a: Tensor, _ b: Tensor) -> Double {
    (a - b).norm().scalar / max(b.norm().scalar, 1e-300)
  }

  @Test("Inner derivatives agree with closed forms", arguments: RowLoss.allCases)
  func innerDerivatives(loss: RowLoss) throws {
    let inner = PenalizedRegression(try Self.data(loss).training, loss: loss)
    let (x, y) = (Tensor([0.3, -1.2, 0.8, 2]), Tensor([0.5, -1, 2, 0]))
    let f = inner.residual(x, y)
    let slope = gradient(at: x) { inner.objective($0, y) }
    #expect(Self.relative(f, slope) < 1e-14)
    let curvature = hessian(at: x) { inner.objective($0, y) }
    #expect(Self.relative(inner.jacobian(x, y), curvature) < 1e-14)
    let p = Tensor([1, 2, -1, 0.5])
    let cross = vjp(at: y) { inner.residual(x, $0) }.pullback(p)
    #expect(Self.relative(inner.crossTransposedProduct(p, x, y), cross) < 1e-14)
  }

  @Test("Derivatives of the non-symmetric root") func nonSymmetricDerivatives() {
    var generator = PhiloxGenerator(seed: 4)
    let root = NonSymmetricRoot(innerSize: 4, outerSize: 3, using: &generator)
    let (x, y, p) = (Tensor([0.3, -1.2, 0.8, 2]), Tensor([0.5, -1, 2]), Tensor([1, 2, -1, 0.5]))
    let columns = jacobian(at: x) { root.residual($0, y) }
    #expect(Self.relative(root.jacobian(x, y), columns) < 1e-14)
    #expect(Self.relative(columns, columns.transposed()) > 0.1)
    let cross = vjp(at: y) { root.residual(x, $0) }.pullback(p)
    #expect(Self.relative(root.crossTransposedProduct(p, x, y), cross) < 1e-14)
  }

  @Test("Outer derivatives agree with closed forms", arguments: RowLoss.allCases)
  func outerDerivatives(loss: RowLoss) throws {
    let data = try Self.data(loss)
    let (x, y) = (Tensor([0.3, -1.2, 0.8, 2]), Tensor([0.5, -1, 2, 0]))
    for kind in OuterKind.allCases {
      let draw = ProblemDraw(loss: loss, outer: kind)
      let outer = try draw.problem(on: data, seed: 1).outerObjective
      let (inX, inY) = gradient(at: x, y, unused: .zero) { outer.value($0, $1) }
      #expect((outer.innerGradient(x, y) - inX).norm().scalar < 1e-13 * (1 + inX.norm().scalar))
      #expect((outer.outerGradient(x, y) - inY).norm().scalar < 1e-13 * (1 + inY.norm().scalar))
    }
  }

  /// Central differences of h extrapolated three times: the error is of order step⁸.
  private func differences(
    at y: Tensor, _ h: (Tensor) throws -> Double
  ) throws -> Tensor {
    let values = y.scalars
    return Tensor(
      try values.indices.map { index in
        func central(_ step: Double) throws -> Double {
          let unit = Tensor(values.indices.map { $0 == index ? step : 0 })
          return (try h(y + unit) - h(y - unit)) / (2 * step)
        }
        var row = try (0..<4).map { try central(0.2 / Double(1 << $0)) }
        for order in 1..<4 {
          let factor = Double(1 << (2 * order))
          row = (1..<row.count).map { (factor * row[$0] - row[$0 - 1]) / (factor - 1) }
        }
        return row[0]
      })
  }

  @Test(
    "Hypergradient is the derivative of h", arguments: RowLoss.allCases, [-1.0...1.0, 3.0...6.0])
  func hypergradientIsTheDerivativeOfH(loss: RowLoss, range: ClosedRange<Double>) throws {
    let data = try Self.data(loss)
    for kind in OuterKind.allCases {
      let draw = ProblemDraw(loss: loss, outer: kind, penaltyRange: range)
      let problem = try draw.problem(on: data, seed: 2)
      let numeric = try differences(at: problem.hyperparameters) { y in
        try problem.outerObjective.exactValue(problem.regression, at: y)
      }
      let difference = Self.relative(problem.hypergradient, numeric)
      #expect(difference < 1e-9, "\(problem.description): \(difference)")
    }
  }

  @Test("Non-symmetric hypergradient") func nonSymmetricHypergradient() throws {
    var generator = PhiloxGenerator(seed: 6)
    let root = NonSymmetricRoot(innerSize: 5, outerSize: 3, using: &generator)
    let outer = QuadraticOuter(
      matrix: Tensor.normal([5, 5], using: &generator), target: Tensor.ones([5]))
    let y = Tensor([0.3, -0.2, 0.1])
    let numeric = try differences(at: y) { try outer.exactValue(root, at: $0) }
    let exact = try outer.exactHypergradient(root, at: y)
    #expect(Self.relative(exact, numeric) < 1e-9)
  }

  /// With one feature, everything can be written down.
  @Test("Ridge of one feature") func ridgeOfOneFeature() throws {
    let data = LabeledData(
      source: "t", features: Tensor(rows: [[1], [2]]), labels: Tensor([3, 5]))
    let inner = PenalizedRegression(data, loss: .squared)
    let y = Tensor([0.5])
    // f = ((x - 3)² + (2x - 5)²) / 4 + e^y x² / 2, so x* = 6.5 / (2.5 + e^y).
    let penalty = 1.648_721_270_700_128_2
    let x = try inner.solution(at: y).scalars[0]
    #expect(abs(x - 6.5 / (2.5 + penalty)) < 1e-15)
    // g = mean of (x - 3)² and (2x - 5)²; dx*/dy = -e^y x* / (2.5 + e^y).
    let outer = ValidationLoss(data, loss: .squared)
    #expect(abs(outer.value(Tensor([2]), y).scalar - 1) < 1e-15)
    let expected = (5 * x - 13) * -penalty * x / (2.5 + penalty)
    let slope = try outer.exactHypergradient(inner, at: y).scalars[0]
    #expect(abs(slope - expected) < 1e-14)
  }

  /// Large margins must not overflow, in either direction.
  @Test("Logistic loss of large margins") func logisticLossOfLargeMargins() {
    let data = LabeledData(
      source: "t", features: Tensor(rows: [[1000], [1000]]), labels: Tensor([1, -1]))
    let inner = PenalizedRegression(data, loss: .logistic)
    let (x, y) = (Tensor([10]), Tensor([-100]))
    #expect(inner.objective(x, y).scalar == 5000)
    #expect(inner.residual(x, y).scalars == [500])
    #expect(inner.jacobian(x, y).scalars[0].isFinite)
  }
}
