import Econometrics
import Testing

@Suite("Errors of models") struct ModelErrorTests {
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

  @Test("A good model has no error") func aGoodModelHasNoError() {
    #expect(message(endogenous: [x], instruments: [z], exogenous: [w]) == "no error")
    #expect(message(endogenous: [x], instruments: [z], addsConstant: false) == "no error")
  }

  @Test("Names that differ by Unicode alone are told apart") func namesThatDifferByUnicodeAlone() {
    let (composed, combined) = (
      Variable(name: "\u{E9}", values: x.values), Variable(name: "e\u{301}", values: z.values)
    )
    #expect(
      message(endogenous: [composed], instruments: [combined])
        .hasSuffix("differ only by how Unicode composes a letter; rename one of them"))
    #expect(
      message(endogenous: [composed], instruments: [composed])
        .contains("is given as endogenous variable and as instrument"))
  }

  @Test("Models with too few instruments or regressors are refused") func countsOfVariables() {
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

  @Test("Roles must be distinct") func rolesMustBeDistinct() {
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

  @Test("Collinear columns are named") func collinearColumnsAreNamed() {
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

  @Test("Constant columns are refused by name") func constantColumns() {
    let five = Variable(name: "five", values: z.values.map { _ in 5 })
    #expect(
      message(endogenous: [x], instruments: [z], exogenous: [five])
        == "exogenous variable five is 5 in every row, and a constant is added already; leave "
        + "the column out")
    #expect(
      message(endogenous: [x], instruments: [z], exogenous: [five], addsConstant: false)
        == "no error")
  }

  @Test("Too few rows are refused") func tooFewRows() {
    func short(_ variable: Variable) -> Variable {
      Variable(name: variable.name, values: Array(variable.values.prefix(3)))
    }
    #expect(
      message(
        endogenous: [short(x)], instruments: [short(z)], exogenous: [short(w)], outcome: short(y)
      ).hasPrefix("3 complete rows cannot estimate this model; it needs at least 4."))
  }

  @Test("Instruments that do nothing") func instrumentsThatDoNothing() {
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
    guard case .unavailable(let reason) = result.wuHausman else {
      Issue.record("a Wu–Hausman statistic with an exact instrument")
      return
    }
    #expect(reason.contains("reproduce x exactly"))
    for (a, b) in zip(result.estimates.parameters, result.ordinary.parameters) {
      #expect(abs(a - b) < 1e-12)
    }
  }

  @Test("An outcome that does not vary has no R²") func anOutcomeThatDoesNotVaryHasNoRSquared()
    throws
  {
    let flat = Variable(name: "y", values: y.values.map { _ in 0.1 })
    let model = try InstrumentalModel(
      outcome: flat, endogenous: [x], instruments: [z, w], exogenous: [])
    let result = try TwoStageLeastSquares(model, covariance: .unadjusted)
    #expect(result.estimates.rSquared == nil)
    guard case .unavailable = result.sargan else {
      Issue.record("a Sargan statistic without residuals")
      return
    }
  }

  @Test("Extreme values are refused") func extremeValuesAreRefused() {
    for scale in [1e-200, 1e200] {
      let extreme = Variable(name: "x", values: x.values.map { $0 * scale })
      #expect(
        message(endogenous: [extreme], instruments: [z]).contains("column x has values of the size")
      )
    }
  }

  @Test("Units do not matter") func unitsDoNotMatter() throws {
    for scale in [1e-80, 1e-9, 1e9, 1e80] {
      let scaled = Variable(name: "x", values: x.values.map { $0 * scale })
      let model = try InstrumentalModel(
        outcome: y, endogenous: [scaled], instruments: [z], exogenous: [w])
      let plain = try InstrumentalModel(
        outcome: y, endogenous: [x], instruments: [z], exogenous: [w])
      let a = try TwoStageLeastSquares(model, covariance: .robust).estimates
      let b = try TwoStageLeastSquares(plain, covariance: .robust).estimates
      #expect(abs(a.zStatistics[2] / b.zStatistics[2] - 1) < 1e-10)
    }
  }
}
