import Autodiff
import Solvers

/// The regressions of all targets of an affine problem on some of its rows.
struct Regression {
  private let problem: AffineProblem
  /// Predictions, [k, c].
  let predictions: Tensor
  /// Training targets, [n, c].
  private let targets: Tensor
  /// Nil where there is no target.
  private let smoother: Smoother?

  /// - Parameters:
  ///   - training: The rows.
  ///   - points: Where predictions are wanted, [k, p].
  init(
    _ problem: AffineProblem, _ learner: NuisanceLearner, on training: Tensor, at points: Tensor,
    _ generator: PhiloxGenerator
  ) throws(SolverError) {
    self.problem = problem
    targets = problem.targets.columns.gathering(training, alongAxis: 0)
    guard targets.shape[1] > 0 else {
      (predictions, smoother) = (.zeros([points.shape[0], 0]), nil)
      return
    }
    let inputs = problem.inputs.gathering(training, alongAxis: 0)
    var fold = NuisanceFold(inputs: inputs, targets: targets, generator: generator)
    let linearClass = try learner.linearClass(for: &fold)
    let smoother = try Smoother(linearClass, inputs: inputs, at: points)
    let raw = try smoother(targets)
    let clips = learner.clipsPredictions
    let keepsRange = clips ? try !targets.hasDependentColumns() : false
    predictions =
      keepsRange
      ? minimum(maximum(raw, targets.min(alongAxis: 0)), targets.max(alongAxis: 0)) : raw
    self.smoother = smoother
  }

  /// Δ(ω) = δ + D ω of `SharedNoise.corrected`: Σᵢ cᵢ eʲᵢ (eʳᵢ − eʸᵢ + eʲᵢᵀ ω) with residuals e of the
  /// training rows, zero where a target is known.
  ///
  /// - Parameter weights: Weights of the points, [k], of any sum; nil for equal ones.
  func noiseCorrection(
    at weights: Tensor? = nil
  ) throws(SolverError) -> (intercept: Tensor, slope: Tensor) {
    let dimension = problem.dimension
    guard let smoother else { return (.zeros([dimension]), .zeros([dimension, dimension])) }
    let residuals = try smoother.residuals(targets)
    let own = try smoother.ownNoiseWeights(at: weights)
    let zero = Tensor.zeros([targets.shape[0]])
    let errors = problem.nuisances(
      of: residuals, intercept: problem.known.intercept ? zero : nil,
      outcome: problem.known.outcome ? zero : nil,
      knownSlope: .zeros([targets.shape[0], dimension]))
    let weighted = errors.slope * own.expandingShape(at: 1)
    let gap = (errors.intercept - errors.outcome).expandingShape(at: 1)
    return (
      matmul(weighted, gap, transposeA: true).squeezingShape(at: 1),
      matmul(weighted, errors.slope, transposeA: true)
    )
  }
}

extension Tensor {
  /// The number of columns up to which `hasDependentColumns` looks.
  private static var columnLimit: Int { 150 }

  /// Whether a combination of the columns that vary is constant to rounding; true for many columns,
  /// of which some are near that.
  fileprivate func hasDependentColumns() throws(SolverError) -> Bool {
    guard shape[1] <= Self.columnLimit else { return true }
    let centred = self - mean(alongAxis: 0)
    let sizes = centred.normInfinity(alongAxes: [0])
    let varies = (sizes .> 1e-14 * normInfinity(alongAxes: [0])).elements(as: Bool.self)
    let columns = varies.indices.filter { varies[$0] }
    guard columns.count > 1 else { return false }
    let chosen = centred.gathering(Tensor(indices: columns), alongAxis: 1)
    let scaled = chosen / sqrt(square(chosen).sum(alongAxis: 0))
    guard shape[0] > columns.count else { return true }
    let smallest = try calling { try singularValues(scaled).scalars.last ?? 1 }
    return smallest <= 1e-6 * Double(columns.count).squareRoot()
  }
}
