import Econometrics
import Testing

@Suite("Errors of models")
struct ModelErrorTests {
  private let y = Variable(name: "y", values: [1, 3, 2, 5, 4, 7, 5, 8])
  private let x = Variable(name: "x", values: [2, 1, 4, 3, 6, 5, 8, 9])
  private let z = Variable(name: "z", values: [1, 2, 2, 4, 5, 5, 7, 9])
  private let w = Variable(name: "w", values: [0, 1, 0, 0, 1, 1, 0, 1])

  private func message(
    endogenous: [Variable], instruments: [Variable], exogenous: [Variable] = [],
    outcome: Variable? = nil, addsConstant: Bool = true
  ) -> String {
    do {
      let model = try InstrumentalModel(
        outcome: outcome ?? y, endogenous: endogenous, instruments: instruments,
        exogenous: exogenous, addsConstant: addsConstant)
      _ = try TwoStageLeastSquares(model, covariance: .unadjusted)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test("A good model has no error")
  func aGoodModelHasNoError() {
    #expect(message(endogenous: [x], instruments: [z], exogenous: [w]) == "no error")
    #expect(message(endogenous: [x], instruments: [z], addsConstant: false) == "no error")
  }

  @Test("Too few variables are named")
  func countsOfVariables() {
    #expect(
      message(endogenous: [x], instruments: [])
        == "no instruments are given for x; name at least as many instruments as endogenous "
        + "variables")
    #expect(
      message(endogenous: [x, w], instruments: [z])
        == "1 instrument (z) cannot identify 2 endogenous variables (x and w); add instruments, or "
        + "treat some variables as exogenous")
    #expect(message(endogenous: [], instruments: [z]).contains("no endogenous variable"))
  }

  @Test("Each column has one role")
  func rolesMustBeDistinct() {
    #expect(
      message(endogenous: [x], instruments: [z], exogenous: [z])
        == "column z is given as instrument and as exogenous variable; give it one role")
    #expect(
      message(endogenous: [x], instruments: [z, z])
        == "column z is given twice as instrument; name it once")
    let const = Variable(name: "const", values: w.values)
    #expect(message(endogenous: [x], instruments: [z], exogenous: [const]).contains("rename"))
    #expect(
      message(endogenous: [x], instruments: [z], exogenous: [const], addsConstant: false)
        == "no error")
  }

  @Test("Collinear columns are named")
  func collinearColumnsAreNamed() {
    let sum = Variable(name: "sum", values: zip(x.values, w.values).map { 3 * $0 - $1 + 1e6 })
    #expect(
      message(endogenous: [x], instruments: [z], exogenous: [w, sum])
        == "columns const, w, sum and x are collinear: each is a linear combination of the others; "
        + "leave one of them out")
    let copy = Variable(name: "copy", values: z.values.map { $0 * 1e-9 })
    #expect(message(endogenous: [x], instruments: [z, copy]).hasPrefix("columns z and copy are"))
    let zero = Variable(name: "zero", values: z.values.map { _ in 0 })
    #expect(
      message(endogenous: [x], instruments: [zero], addsConstant: false)
        == "column zero is 0 in every row; leave it out")
  }

  @Test("A constant column beside a constant is refused")
  func constantColumns() {
    let five = Variable(name: "five", values: z.values.map { _ in 5 })
    #expect(
      message(endogenous: [x], instruments: [z], exogenous: [five])
        == "exogenous variable five is 5 in every row, and a constant is added already; leave "
        + "the column out")
    #expect(
      message(endogenous: [x], instruments: [z], exogenous: [five], addsConstant: false)
        == "no error")
  }

  @Test("Too few rows are refused")
  func tooFewRows() {
    func short(_ variable: Variable) -> Variable {
      Variable(name: variable.name, values: Array(variable.values.prefix(3)))
    }
    #expect(
      message(
        endogenous: [short(x)], instruments: [short(z)], exogenous: [short(w)], outcome: short(y)
      ).hasPrefix("3 complete rows cannot estimate this model; it needs at least 4."))
  }

  @Test("Instruments that do nothing do not identify")
  func instrumentsThatDoNothing() {
    // Orthogonal to x and to the constant.
    let useless = Variable(name: "u", values: [1, 1, -1, -1, 1, -1, 1, -1])
    let flat = Variable(name: "x", values: [1, -1, 1, -1, 2, 2, -2, -2])
    #expect(message(endogenous: [flat], instruments: [useless]).contains("do not identify x"))
  }

  @Test("Exact instruments have reasons for what is missing")
  func exactInstrumentsHaveReasonsForWhatIsMissing() throws {
    let twice = Variable(name: "twice", values: x.values.map { 2 * $0 + 1 })
    let model = try InstrumentalModel(
      outcome: y, endogenous: [x], instruments: [twice], exogenous: [w])
    let result = try TwoStageLeastSquares(model, covariance: .robust)
    #expect(result.firstStages.first?.partialF == nil)
    #expect(result.wuHausman.reason?.contains("reproduce x exactly") == true)
    for (a, b) in zip(result.estimates.parameters, result.ordinary.parameters) {
      #expect(abs(a - b) < 1e-12)
    }
  }

  @Test("An outcome that does not vary has no R²")
  func anOutcomeThatDoesNotVaryHasNoRSquared() throws {
    let flat = Variable(name: "y", values: y.values.map { _ in 0.1 })
    let model = try InstrumentalModel(
      outcome: flat, endogenous: [x], instruments: [z, w], exogenous: [])
    let result = try TwoStageLeastSquares(model, covariance: .unadjusted)
    #expect(result.estimates.rSquared == nil)
    #expect(result.sargan.statistic == nil && result.sargan.reason != nil)
  }

  @Test("Values whose squares cannot be computed with are refused")
  func extremeValuesAreRefused() {
    for scale in [1e-200, 1e200] {
      let extreme = Variable(name: "x", values: x.values.map { $0 * scale })
      #expect(
        message(endogenous: [extreme], instruments: [z]).contains("column x has values of the size")
      )
    }
  }

  @Test("Units do not matter")
  func unitsDoNotMatter() throws {
    for scale in [1e-80, 1e-9, 1e9, 1e80] {
      let scaled = Variable(name: "x", values: x.values.map { $0 * scale })
      let model = try InstrumentalModel(
        outcome: y, endogenous: [scaled], instruments: [z], exogenous: [w])
      let plain = try InstrumentalModel(
        outcome: y, endogenous: [x], instruments: [z], exogenous: [w])
      let a = try TwoStageLeastSquares(model, covariance: .robust).estimates
      let b = try TwoStageLeastSquares(plain, covariance: .robust).estimates
      let (z, plainZ) = (a.coefficients()[2].z ?? 0, b.coefficients()[2].z ?? 1)
      #expect(abs(z / plainZ - 1) < 1e-10)
    }
  }

  @Test("Values, weights and clusters that cannot be used are refused")
  func valuesThatCannotBeUsed() throws {
    var values = x.values
    values[3] = .nan
    #expect(
      message(endogenous: [Variable(name: "x", values: values)], instruments: [z])
        == "row 4 of column x is not a finite number; leave the row out")
    for bad in [0, -1, .nan] {
      var weights = [Double](repeating: 1, count: 8)
      weights[2] = bad
      #expect {
        try InstrumentalModel(outcome: y, endogenous: [x], instruments: [z], weights: weights)
      } throws: { "\($0)".hasPrefix("the weight of row 3 is") }
    }
    let clustered = try InstrumentalModel(
      outcome: y, endogenous: [x], instruments: [z], clusters: [0, 0, 1, 1, 2, 2, 3, 3])
    #expect(throws: ModelError.unadjustedClusters) {
      try TwoStageLeastSquares(clustered, covariance: .unadjusted)
    }
    let weighted = try InstrumentalModel(
      outcome: y, endogenous: [x], instruments: [z], weights: [1, 2, 1, 2, 1, 2, 1, 2])
    #expect(throws: ModelError.weightsUnsupported(by: "the orthogonal regression")) {
      try OrthogonalIV().fit(weighted)
    }
    #expect(throws: ModelError.weightsUnsupported(by: "the deep regression")) {
      try DeepIV().fit(weighted)
    }
  }
}
