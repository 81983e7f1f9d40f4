import Autodiff
import Solvers
import TestSupport
import Testing

/// The rule by which a point is called a solution, at points that are given.
@Suite("Certificates of solutions")
struct SolutionCertificateTests {
  private func minimum(
    _ size: Int = 1, _ type: ScalarType = .float64, _ f: @escaping InnerProblem.VectorFunction
  ) throws -> InnerProblem {
    try .minimum(startingAt: .ones([size], type), of: f)
  }

  @Test(
    "The figure is the Newton step relative to the point, and the verdict its comparison with τ")
  func figure() throws {
    // F = 2 (x − 3): δ = x − 3.
    let problem = try minimum { x in square(x - 3).sum() }
    let near = try problem.certificate(at: Tensor([3 * (1 + 1e-9)]))
    #expect(near.isAccepted && near.grounds == .newtonStep)
    #expect(abs(near.relativeError - 1e-9) < 1e-12)
    let far = try problem.certificate(at: Tensor([3 * (1 + 1e-7)]))
    #expect(far.refusal == .inaccurate)
    #expect(abs(far.relativeError - 1e-7) < 1e-10)
    let loose = try problem.certificate(
      at: Tensor([3 * (1 + 1e-7)]), stopping: StoppingRule(accuracy: 1e-6))
    #expect(loose.isAccepted)
  }

  @Test(
    "Neither a factor nor the units matter", arguments: [1e-12, 1, 1e12], [1e-9, 1.0, 1e9])
  func invariance(factor: Double, unit: Double) throws {
    let problem = try minimum(2) { x in
      let z = x / unit - Tensor([1, 2])
      return factor * (exp(z) - z).sum()
    }
    #expect(try problem.certificate(at: unit * Tensor([1 + 5e-9, 2])).isAccepted)
    #expect(try !problem.certificate(at: unit * Tensor([1 + 5e-7, 2])).isAccepted)
  }

  @Test("A valley of curvature 1e-12 counts in the plain norm, a column of 1e9 in the energy norm")
  func twoNorms() throws {
    let valley = try minimum(2) { x in square(x[0] - 1) + 1e-12 * square(x[1] - 2) }
    #expect(try valley.certificate(at: Tensor([1, 3])).refusal == .inaccurate)
    #expect(try valley.certificate(at: Tensor([1, 2])).isAccepted)
    let column = try minimum(2) { x in square(x[0] - 4) + square(1e9 * x[1] - 7) }
    #expect(try column.certificate(at: Tensor([4, 0])).refusal == .inaccurate)
    #expect(try column.certificate(at: Tensor([4, 7e-9])).isAccepted)
  }

  @Test(
    "A tail that falls for ever is no solution, however small F is", arguments: [20.0, 60, 700])
  func tails(x: Double) throws {
    let separated = try minimum { x in softplus(-x * Tensor([1, 2])).sum() }
    #expect(try !separated.certificate(at: Tensor([x])).isAccepted)
    let shifted = try minimum { x in exp(-(x - 1e9)).sum() }
    #expect(try !shifted.certificate(at: Tensor([1e9 + x])).isAccepted)
    let reciprocal = try minimum { x in (1 / x).sum() }
    #expect(try !reciprocal.certificate(at: Tensor([1e8 * x])).isAccepted)
  }

  @Test("A maximum, a saddle and a flat minimum are refused as what they are")
  func stationaryPoints() throws {
    let maximum = try minimum { x in cos(x).sum() }
    guard case .indefinite(let curvature, _)? = try maximum.certificate(at: Tensor([0.0])).refusal
    else {
      Issue.record("a maximum")
      return
    }
    #expect(abs(curvature + 1) < 1e-12)
    let saddle = try minimum(2) { x in square(x[0]) - square(x[1]) + x[0] * x[1] }
    guard case .indefinite? = try saddle.certificate(at: Tensor([0, 0])).refusal else {
      Issue.record("a saddle")
      return
    }
    let quartic = try minimum { x in square(square(x - 1)).sum() }
    #expect(try quartic.certificate(at: Tensor([1 + 1e-9])).refusal == .degenerate)
    let double = try InnerProblem.root(startingAt: Tensor([2.0])) { x in square(x - 1) }
    #expect(try double.certificate(at: Tensor([1 + 1e-9])).refusal == .degenerate)
  }

  @Test("A saddle is seen among many unknowns, where F has no part in its direction")
  func hiddenSaddle() throws {
    let n = 400
    var signs = [Double](repeating: 1, count: n)
    signs[n - 1] = -0.5
    let curvatures = Tensor(signs)
    let problem = try minimum(n) { x in (curvatures * square(x)).sum() - 2 * x[0] }
    var point = [Double](repeating: 0, count: n)
    point[0] = 1
    guard case .indefinite? = try problem.certificate(at: Tensor(point)).refusal else {
      Issue.record("no refusal")
      return
    }
  }

  @Test("Unknowns that nothing determines are named, one by one within a tensor")
  func idleUnknowns() throws {
    let problem = try minimum(3) { x in square(x[0..<2] - 1).sum() }
    guard case .singular(let blocks)? = try problem.certificate(at: Tensor([1, 1, 5])).refusal
    else {
      Issue.record("no refusal")
      return
    }
    #expect(blocks.map(\.name) == ["component[2]"])
  }

  @Test("Next to zero a typical magnitude decides, and an exact zero needs none")
  func zero() throws {
    let problem = try minimum { x in (exp(x) + exp(-x)).sum() }
    #expect(try problem.certificate(at: Tensor([1e-12])).refusal == .inaccurate)
    let rule = StoppingRule(typicalMagnitude: 1)
    #expect(try problem.certificate(at: Tensor([1e-12]), stopping: rule).isAccepted)
    #expect(try problem.certificate(at: Tensor([0.0])).isAccepted)
  }

  @Test("Rounding is accepted with its figure, and no more than a little of it")
  func rounding() throws {
    // A sum of 1e5 terms of size 1 in float32 leaves F no better than about 1e-7 of them.
    let data = normal([4000], seed: 1).cast(to: .float32)
    let problem = try minimum(1, .float32) { x in 0.5 * square(x - data - 3).mean() }
    let solution = Tensor([(data.cast(to: .float64).mean() + 3).scalar]).cast(to: .float32)
    #expect(try problem.certificate(at: solution).isAccepted)
    // Condition 1e14: rounding leaves x uncertain by percents.
    let ill = try minimum(2) { x in
      square(x[0] + x[1] - 2) + 1e-14 * square(x[0] - x[1])
    }
    let verdict = try ill.certificate(at: Tensor([1.01, 0.99]))
    #expect(!verdict.isAccepted)
  }

  @Test("F that is not finite, and no unknowns at all")
  func degenerateSizes() throws {
    let problem = try minimum { x in log(x).sum() }
    #expect(try problem.certificate(at: Tensor([0.0])).refusal == .notFinite)
    let empty = try minimum(0) { x in square(x).sum() }
    #expect(try empty.certificate(at: Tensor.zeros([0])).isAccepted)
  }

  @Test("A description states the figure beside what is allowed")
  func description() throws {
    let problem = try minimum { x in square(x - 3).sum() }
    #expect("\(try problem.certificate(at: Tensor([3.0])))" == "error about 0 of x (allowed 1e-8)")
    let far = try problem.certificate(at: Tensor([4.0]))
    #expect("\(far)" == "the Newton step is 0.25 of x (allowed 1e-8)")
  }
}
