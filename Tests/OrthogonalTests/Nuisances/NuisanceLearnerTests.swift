import Autodiff
import Bilevel
import Neural
import Orthogonal
import Solvers
import Testing

/// Learners of nuisances, seen through the orthogonal gradients that use them.
@Suite("Nuisance learners") struct NuisanceLearnerTests {
  private struct Data {
    let inputs: Tensor
    let slope: Tensor
    let outcome: Tensor

    init(count: Int = 60) {
      var generator = PhiloxGenerator(seed: 3)
      inputs = Tensor.uniform([count, 2], from: -1, to: 1, using: &generator)
      let noise = Tensor.normal([count, 3], using: &generator)
      slope =
        .concatenated([sin(2 * inputs), inputs], alongAxis: 1)[0..., 0..<2] + 0.3
        * noise[0..., 0..<2]
      outcome = slope[0..., 0] - slope[0..., 1] + 0.5 * noise[0..., 2]
    }

    var problem: AffineProblem {
      get throws { try AffineProblem(inputs: inputs, innerSlope: slope, outcome: outcome) }
    }
  }

  private let point = Tensor([0.3, -0.8])

  /// The gradient with nuisances that are found here, fold by fold, by another method.
  private func expected(
    _ data: Data, _ folds: Folds,
    _ predict: (_ inputs: Tensor, _ targets: Tensor, _ points: Tensor) throws -> Tensor
  ) throws -> Tensor {
    let targets = Tensor.concatenated(
      [data.slope, data.outcome.expandingShape(at: 1)], alongAxis: 1)
    var total = Tensor.zeros([2])
    for fold in 0..<folds.count {
      let (training, held) = (folds.training(fold), folds.held(fold))
      let predictions = try predict(
        data.inputs.gathering(training, alongAxis: 0), targets.gathering(training, alongAxis: 0),
        data.inputs.gathering(held, alongAxis: 0))
      let rows = targets.gathering(held, alongAxis: 0)
      for row in 0..<held.elementCount {
        let (j, m) = (predictions[row, 0..<2], predictions[row, 2])
        let (dg, y) = (rows[row, 0..<2], rows[row, 2])
        total += j * (dot(dg, point) - y) + (dg - j) * (dot(j, point) - m)
      }
    }
    return total / Double(data.inputs.shape[0])
  }

  /// Kernel ridge regression on all rows is K (K + nλI)⁻¹ T, without features and normal equations.
  @Test("Kernel ridge is the dual solution") func kernelRidgeIsTheDualSolution() throws {
    let data = Data()
    let folds = try Folds(assignment: (0..<60).map { $0 % 3 })
    let kernel = Kernel.gaussian(lengthScale: 0.7)
    let fit = try data.problem.fit(
      nuisances: .kernelRidge(kernel, ridge: .fixed(0.01), hasIntercept: false),
      crossFitting: CrossFitting(folds: [folds]).with(sharedNoise: .kept))
    let reference = try expected(data, folds) { x, t, points in
      let count = Double(x.shape[0])
      let weights = try solvePositiveDefinite(
        kernel(x, x) + 0.01 * count * Tensor.identity(x.shape[0]), t)
      return matmul(kernel(points, x), weights)
    }
    let found = try fit.hypergradient(at: point).value
    #expect(discrepancy(found, reference) < 1e-9)
  }

  /// λ = c n^(−p) on the 40 training rows of every fold.
  @Test("Rates give the penalty of the training rows") func ratesGiveThePenaltyOfTheTrainingRows()
    throws
  {
    let data = Data()
    let plan = CrossFitting(folds: [try Folds(assignment: (0..<60).map { $0 % 3 })])
    func gradient(_ ridge: RidgeRule) throws -> Tensor {
      try data.problem.fit(
        nuisances: .kernelRidge(.gaussian(lengthScale: 0.7), ridge: ridge), crossFitting: plan
      ).hypergradient(at: point).value
    }
    let fixed = 0.3 / 40.0.squareRoot()
    let found = try gradient(.rate(constant: 0.3, power: 0.5))
    #expect(discrepancy(found, try gradient(.fixed(fixed))) < 1e-10)
  }

  /// An intercept that is not penalised: ridge regression of centred columns.
  @Test("Free intercept is centring") func freeInterceptIsCentring() throws {
    let data = Data()
    let folds = try Folds(assignment: (0..<60).map { $0 / 30 })
    let linearClass = LinearClass(ridge: 0.05, hasIntercept: true, penalizesIntercept: false) {
      Tensor.concatenated([$0, square($0)], alongAxis: 1)
    }
    let fit = try data.problem.fit(
      nuisances: .linear(linearClass),
      crossFitting: CrossFitting(folds: [folds]).with(sharedNoise: .kept))
    let reference = try expected(data, folds) { x, t, points in
      func features(_ x: Tensor) -> Tensor { .concatenated([x, square(x)], alongAxis: 1) }
      let (center, mean) = (features(x).mean(alongAxis: 0), t.mean(alongAxis: 0))
      let phi = features(x) - center
      let gram = matmul(phi, phi, transposeA: true) + 0.1 * 30 * Tensor.identity(4)
      let weights = try solvePositiveDefinite(gram, matmul(phi, t - mean, transposeA: true))
      return matmul(features(points) - center, weights) + mean
    }
    let found = try fit.hypergradient(at: point).value
    #expect(discrepancy(found, reference) < 1e-10)
  }

  /// The closed form of the leave-one-out error is what leaving rows out one by one gives.
  @Test("Leave-one-out errors are those of refits", arguments: [true, false])
  func leaveOneOutErrorsAreThoseOfRefits(
    hasIntercept: Bool
  ) throws {
    let data = Data(count: 25)
    let ridges = [1e-3, 0.05]
    let chosen = Recorder()
    let learner = NuisanceLearner(name: "recorder") { fold in
      let linearClass = LinearClass(
        ridge: 1, hasIntercept: hasIntercept, penalizesIntercept: false
      ) { Tensor.concatenated([$0, square($0)], alongAxis: 1) }
      chosen.risks = try fold.risks(of: linearClass, ridges: ridges)
      chosen.inputs = fold.inputs
      chosen.targets = fold.targets
      return .linear(linearClass)
    }
    _ = try data.problem.fit(
      nuisances: learner,
      crossFitting: CrossFitting(folds: [try Folds(assignment: (0..<25).map { $0 == 0 ? 1 : 0 })]))
    let (x, t) = (try #require(chosen.inputs), try #require(chosen.targets))
    for (ridge, risk) in zip(ridges, chosen.risks) {
      let refits = try leaveOneOut(x, t, ridge, hasIntercept)
      #expect(abs(risk / refits - 1) < 1e-10)
    }
  }

  private final class Recorder: @unchecked Sendable {
    // Safety of @unchecked Sendable: used by one thread.
    var risks: [Double] = []
    var inputs: Tensor?
    var targets: Tensor?
  }

  /// Errors of refits by augmented least squares, in units of the targets' variances.
  private func leaveOneOut(
    _ x: Tensor, _ t: Tensor, _ ridge: Double, _ hasIntercept: Bool
  ) throws -> Double {
    let count = x.shape[0]
    let variances = t.variance(alongAxes: [0])
    var total = 0.0
    for row in 0..<count {
      let kept = Tensor(indices: (0..<count).filter { $0 != row })
      let ones = hasIntercept ? 1.0 : 0
      func features(_ x: Tensor) -> Tensor {
        .concatenated([x, square(x), ones * .ones([x.shape[0], 1])], alongAxis: 1)
      }
      let phi = features(x.gathering(kept, alongAxis: 0))
      // n and not n − 1 rows scale the penalty: the same ‖·‖² that the full fit has.
      let penalty = 2 * Double(count) * ridge
      var diagonal = [Double](repeating: penalty, count: 5)
      diagonal[4] = hasIntercept ? 0 : 1
      let gram = matmul(phi, phi, transposeA: true) + Tensor(diagonal).embeddedDiagonal()
      let weights = try solvePositiveDefinite(
        gram, matmul(phi, t.gathering(kept, alongAxis: 0), transposeA: true))
      let error = matmul(features(x[row].expandingShape(at: 0)), weights) - t[row]
      total += (square(error) / variances).mean().scalar
    }
    return total / Double(count)
  }

  /// A network with a closed-form head explains what polynomials of its inputs cannot.
  @Test("Networks are trained on the fold") func networksAreTrainedOnTheFold() throws {
    let data = Data(count: 400)
    var generator = PhiloxGenerator(seed: 5)
    let network = NetworkClass(
      features: MLP(widths: [2, 16, 8], activation: .tanh, using: &generator),
      head: .closedForm(ridge: 1e-4),
      training: InnerTraining(optimizer: Adam(learningRate: 1e-2), stepCount: 150))
    let fit = try data.problem.fit(
      nuisances: .network(network), crossFitting: CrossFitting(foldCount: 2))
    // sin 2x with noise of deviation 0.3 leaves an R² near 0.83.
    let slopes = fit.nuisanceErrors.filter { $0.name.hasPrefix("slope") }
    #expect(slopes.count == 2)
    for error in slopes { #expect(error.rSquared > 0.7 && error.rSquared < 0.95) }
  }

  @Test("Cross validation finds a useful penalty") func crossValidationFindsAUsefulPenalty() throws
  {
    let data = Data(count: 300)
    let fit = try data.problem.fit(nuisances: .kernelRidge())
    for error in fit.nuisanceErrors.filter({ $0.name.hasPrefix("slope") }) {
      #expect(error.rSquared > 0.75)
    }
  }

  /// The chosen penalty is one of the grid, its factor multiplies it, and 0.1 / n bounds it from below.
  @Test("Factor and floor of the chosen penalty") func factorAndFloorOfTheChosenPenalty() throws {
    let data = Data(count: 120)
    let folds = try Folds(assignment: (0..<120).map { $0 % 2 })
    let kernel = Kernel.gaussian(lengthScale: 0.7)
    func gradient(_ ridge: RidgeRule) throws -> Tensor {
      var learner = NuisanceLearner.kernelRidge(kernel, ridge: ridge)
      learner.clipsPredictions = false
      return try data.problem.fit(
        nuisances: learner, crossFitting: CrossFitting(folds: [folds])
      ).hypergradient(at: point).value
    }
    let grid = (0...18).map { pow(Tensor(10), Tensor(Double($0) / 3 - 6)).scalar }
    let chosen = try gradient(.crossValidated(factor: 1))
    let matches = try grid.filter { discrepancy(try gradient(.fixed($0)), chosen) < 1e-12 }
    // Both training folds may choose the same value or different ones; this seed has one.
    #expect(matches.count == 1)
    let best = try #require(matches.first)
    let floor = 0.1 / 60
    let halved = try gradient(.crossValidated(factor: 0.5))
    #expect(discrepancy(halved, try gradient(.fixed(max(0.5 * best, floor)))) < 1e-12)
    let least = try gradient(.crossValidated(factor: 1e-9))
    #expect(discrepancy(least, try gradient(.fixed(floor))) < 1e-12)
  }

  /// Instruments such as times in milliseconds: only their differences count.
  @Test("Far inputs are those near the origin") func farInputsAreThoseNearTheOrigin() throws {
    var generator = PhiloxGenerator(seed: 9)
    let draws = Tensor.uniform([60, 1], from: 0, to: 1024, using: &generator)
    let inputs = Tensor(draws.scalars.map { $0.rounded() }, shape: [60, 1])
    let noise = Tensor.normal([60, 2], using: &generator)
    let treatment = sin(inputs / 200) + 0.3 * noise[0..., 0..<1]
    func gradient(_ origin: Double) throws -> Double {
      try AffineProblem(
        inputs: inputs + origin, innerSlope: treatment,
        outcome: treatment[0..., 0] + 0.3 * noise[0..., 1]
      ).fit(nuisances: .kernelRidge()).hypergradient(at: Tensor([0.5])).value[0].scalar
    }
    let (near, far) = (try gradient(0), try gradient(1.6e12))
    #expect(abs(far / near - 1) < 1e-4)
  }
}
