import Autodiff
import Bilevel
import Neural
import Solvers

/// How the nuisances of an orthogonal hypergradient are learned: a rule that picks a class of
/// functions from a training fold, in which they are then fitted as differentiable operators.
///
/// The rule sees training rows only. Its choices (a bandwidth, a penalty, the features of a network)
/// are constants of the fit.
public struct NuisanceLearner: Sendable {
  /// A word for it, for summaries.
  public let name: String
  /// Whether predictions of regressions are cut to the range of their training targets, in which
  /// conditional means lie: a guard against extrapolation by a flexible class.
  ///
  /// Linear relations between targets, which conditional means keep, would not survive that. So it is
  /// not done where targets are linearly dependent, such as indicators that sum to one, where there
  /// are more than 150 of them, or in `FittedQEvaluation`.
  public var clipsPredictions = false
  private let rule: @Sendable (inout NuisanceFold) throws -> FunctionClass

  /// A learner with a rule of its own.
  ///
  /// - Parameter rule: From the training rows to the class.
  public init(
    name: String, rule: @escaping @Sendable (_ fold: inout NuisanceFold) throws -> FunctionClass
  ) {
    self.name = name
    self.rule = rule
  }

  /// The class for a training fold.
  func functionClass(for fold: inout NuisanceFold) throws(SolverError) -> FunctionClass {
    try calling { try rule(&fold) }
  }

  /// The linear class for a training fold; features of a network come with a closed-form head.
  func linearClass(for fold: inout NuisanceFold) throws(SolverError) -> LinearClass {
    switch try functionClass(for: &fold) {
    case .linear(let linearClass): return linearClass
    case .network(let networkClass): return try fold.trained(networkClass)
    }
  }

  /// A class that is given: polynomials, splines, a table, random features.
  public static func linear(_ linearClass: LinearClass) -> NuisanceLearner {
    NuisanceLearner(name: linearClass.name) { _ in .linear(linearClass) }
  }

  /// A network, trained on every training fold.
  ///
  /// Where nuisances are regressions, its features are trained on all of them and then given a
  /// closed-form head.
  public static func network(_ networkClass: NetworkClass) -> NuisanceLearner {
    NuisanceLearner(name: "network") { _ in .network(networkClass) }
  }
}

/// What a nuisance learner sees: training rows.
public struct NuisanceFold {
  /// x, [n, p], float64.
  public let inputs: Tensor
  /// The columns that nuisances regress on x, [n, c]; nil where the inner loss is not quadratic.
  public let targets: Tensor?
  /// Draws what is random in the rule, landmarks for example.
  public var generator: PhiloxGenerator
  /// The out-of-fold risk of a class, where nuisances are no regressions.
  let risk: ((LinearClass) throws -> Double)?

  /// The number of training rows.
  public var count: Int { inputs.shape[0] }

  init(
    inputs: Tensor, targets: Tensor?, generator: PhiloxGenerator,
    risk: ((LinearClass) throws -> Double)? = nil
  ) {
    self.inputs = inputs
    self.targets = targets
    self.generator = generator
    self.risk = risk
  }

  /// The risk of classes with the same features and several penalties, one for each.
  ///
  /// For regressions the mean over columns of the leave-one-out squared error relative to the
  /// column's variance, in closed form; otherwise the mean inner loss on held-out rows.
  public func risks(of linearClass: LinearClass, ridges: [Double]) throws -> [Double] {
    if let targets {
      return try LeaveOneOut(linearClass, inputs: inputs, targets: targets).errors(ridges)
    }
    guard let risk else { return ridges.map { _ in .nan } }
    return try ridges.map { try risk(linearClass.with(ridge: $0)) }
  }

  /// The features of a network trained on the targets, with a closed-form head.
  func trained(_ networkClass: NetworkClass) throws(SolverError) -> LinearClass {
    guard let targets else {
      stop("NuisanceFold", "there are no targets to train a network on")
    }
    guard let ridge = networkClass.headRidge else {
      stop(
        "NuisanceLearner.network",
        """
        nuisances that are regressions need a closed-form head, because the predictions are linear \
        in the targets then: give the network class head .closedForm(ridge:)
        """)
    }
    let scale = targets.columnDeviations
    let sample = FunctionalSample(inputs: inputs, labels: targets / scale)
    let fit = NetworkFit<[Tensor], Tensor>(
      loss: PointwiseLoss { _, v, _, y in 0.5 * square(v - y).sum(alongAxis: 1) },
      outer: [], sample: sample, outputCount: targets.shape[1])
    let state = FunctionalState()
    state.generator = generator
    let (network, _) = try fit.trained(networkClass, state)
    return .network(network.features, ridge: ridge)
  }
}
