import Autodiff
import Bilevel
import Orthogonal
import Solvers
import Testing

/// Data that does not allow an estimate is refused with what to do about it.
@Suite("What orthogonal estimates refuse") struct OrthogonalRefusalTests {
  private var inputs: Tensor
  private var slope: Tensor
  private var outcome: Tensor

  init() {
    var generator = PhiloxGenerator(seed: 8)
    inputs = Tensor.normal([40, 2], using: &generator)
    slope = inputs + Tensor.normal([40, 2], using: &generator)
    outcome = slope.sum(alongAxis: 1) + Tensor.normal([40], using: &generator)
  }

  private func refusal(_ body: () throws -> Void) -> OrthogonalError? {
    do {
      try body()
      return nil
    } catch SolverError.function(let error as OrthogonalError) {
      return error
    } catch {
      return nil
    }
  }

  private func problem(_ inputs: Tensor, _ slope: Tensor, _ outcome: Tensor) throws -> AffineProblem
  {
    try AffineProblem(inputs: inputs, innerSlope: slope, outcome: outcome)
  }

  @Test("Fewer rows than folds") func fewerRowsThanFolds() throws {
    let four = Tensor(indices: [0, 1, 2, 3])
    let small = try problem(
      inputs.gathering(four, alongAxis: 0), slope.gathering(four, alongAxis: 0),
      outcome.gathering(four, alongAxis: 0))
    let error = refusal { _ = try small.fit(nuisances: .kernelRidge()) }
    #expect(error == .fewerUnitsThanFolds(unitCount: 4, foldCount: 10, areGroups: false))
  }

  @Test("A constant outcome is refused or exact") func constantOutcome() {
    let error = refusal { _ = try problem(inputs, slope, Tensor.ones([40]) * 3) }
    #expect(error == .constantTarget(what: "outcomes", value: 3))
  }

  @Test("Numbers that are not finite") func numbersThatAreNotFinite() {
    let isGap = Tensor(mask: (0..<40).map { $0 == 7 })
    let broken = select(isGap, Tensor.zeros([40]) / 0, outcome)
    let error = refusal { _ = try problem(inputs, slope, broken) }
    #expect(error == .notFinite(what: "outcomes", row: 7, count: 1))
    #expect("\(OrthogonalError.notFinite(what: "outcomes", row: 7, count: 1))".contains("row 7"))
  }

  @Test("Duplicated rows across folds") func duplicatedRowsAcrossFolds() throws {
    let twice = Tensor(indices: Array(0..<40) + [3])
    let repeated = try problem(
      inputs.gathering(twice, alongAxis: 0), slope.gathering(twice, alongAxis: 0),
      outcome.gathering(twice, alongAxis: 0))
    // Row 3 and its copy, row 40, in different folds.
    var plan = CrossFitting(folds: [
      try Folds(assignment: (0..<41).map { $0 == 3 ? 1 : $0 % 2 == 0 ? 0 : 1 })
    ])
    let error = refusal { _ = try repeated.fit(nuisances: .kernelRidge(), crossFitting: plan) }
    #expect(error == .duplicatedRows(count: 1, first: 3, second: 40))
    plan.allowsDuplicates = true
    #expect(refusal { _ = try repeated.fit(nuisances: .kernelRidge(), crossFitting: plan) } == nil)
    // Copies of one unit belong to one group, whose rows stay together.
    let grouped = try AffineProblem(
      inputs: repeated.inputs, innerSlope: repeated.innerSlope, outcome: repeated.outcome,
      groups: Array(0..<40) + [3])
    #expect(refusal { _ = try grouped.fit(nuisances: .kernelRidge()) } == nil)
  }

  @Test("A singular Gram matrix is refused") func singularGram() throws {
    let twice = LinearClass(name: "twice the same", ridge: 1e-300) {
      Tensor.concatenated([$0, $0], alongAxis: 1)
    }
    let data = try problem(inputs, slope, outcome)
    let error = refusal { _ = try data.fit(nuisances: .linear(twice)) }
    #expect(error == .singularGram(className: "twice the same", rowCount: 36))
  }

  @Test("Folds of another sample") func foldsOfAnotherSample() throws {
    let data = try problem(inputs, slope, outcome)
    let plan = CrossFitting(folds: [try Folds(assignment: [0, 1, 0, 1])])
    let error = refusal { _ = try data.fit(nuisances: .kernelRidge(), crossFitting: plan) }
    #expect(error == .wrongRowCount(what: "folds", found: 4, expected: 40))
  }

  /// Two columns that are the same function of the inputs have no separate coefficients.
  @Test("Root that is not identified") func rootThatIsNotIdentified() throws {
    let same = Tensor.stacked([slope[0..., 0], slope[0..., 0]], alongAxis: 1)
    let fit = try problem(inputs, same, outcome).fit(
      nuisances: .kernelRidge(.gaussian(lengthScale: 1), ridge: .fixed(0.01)))
    let error = refusal { _ = try fit.root() }
    guard case .rootNotIdentified(let rank, 2, _) = error else {
      Issue.record("expected a root that is not identified, found \(String(describing: error))")
      return
    }
    #expect(rank == 1)
    // A penalty makes it unique: by symmetry both coefficients are the same.
    let root = try fit.root { ω in 0.01 * square(ω).sum() }.value.scalars
    #expect(abs(root[0] - root[1]) < 1e-9)
  }

  @Test("Layer refuses labels that are not finite") func layerRefusesLabelsThatAreNotFinite() {
    let labels = [slope, select(outcome .> 0, outcome / 0, outcome).expandingShape(at: 1)]
    let sample = FunctionalSample(inputs: inputs, labels: labels)
    let layer = OBiGrad<Tensor, [Tensor], [Tensor]>.quadratic(
      nuisances: .kernelRidge(),
      innerTarget: { ω, _, y in matmul(y[0], ω.expandingShape(at: 1)) },
      outerTarget: { _, _, y in y[1] })
    let error = refusal { _ = try layer.fit(on: BilevelSample(sample), at: Tensor([1, 1])) }
    guard case .notFinite(let what, _, _) = error else {
      Issue.record("expected a refusal, found \(String(describing: error))")
      return
    }
    #expect(what.contains("labels 1"))
  }
}
