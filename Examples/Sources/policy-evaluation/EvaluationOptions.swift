import ArgumentParser
import Autodiff
import Bilevel
import ControlProblems
import ExampleSupport
import Orthogonal

/// The features of the action value.
enum FeatureKind: String, CaseIterable, ExpressibleByArgument, Codable {
  case polynomial
  case fourier
  case tabular
  case sine
}

/// The class in which nuisances are learned.
enum NuisanceKind: String, CaseIterable, ExpressibleByArgument, Codable {
  case kernel
  case polynomial
}

/// How a policy is evaluated, as options.
struct EvaluationOptions: ParsableArguments {
  @Option(help: .value("number", "The discount, at least 0 and less than 1."))
  var discount = 0.9

  @Option(
    help: """
      Features of the action value: polynomials or random Fourier features of the scaled state (and \
      of a continuous action), a table of numbered states, or those of the sine process. Numbered \
      actions get coefficients of their own. (default: polynomial; sine for the sine process)
      """)
  var features: FeatureKind?

  @Option(help: "The degree of polynomial features.")
  var degree = 4

  @Option(help: "The number of random Fourier features, for each action.")
  var featureCount = 40

  @Option(help: "The length scale of random Fourier features, in standard deviations.")
  var lengthScale = 2.0

  @Option(help: "The weight of a penalty on the coefficients; intervals do not account for it.")
  var ridge = 0.0

  @Option(
    help: """
      Nuisances by kernel ridge regression with cross-validated penalty, or by polynomials of \
      --nuisance-degree in scaled state and action. (default: kernel; polynomial for a simulated \
      CartPole)
      """)
  var nuisances: NuisanceKind?

  @Option(help: "The degree of polynomial nuisances.")
  var nuisanceDegree = 5

  @Option(help: "The number of folds of cross-fitting; trajectories stay together.")
  var folds = 5

  @Option(
    help: """
      The number of random splits; of their estimates the median is taken. (default: 1; 5 for a \
      simulated CartPole)
      """)
  var repeats: Int?

  @Flag(help: "Take transitions that are the same in all columns as separate ones.")
  var allowDuplicates = false

  @Option(help: "The seed of simulation, splits and random features.")
  var seed: UInt64 = 1

  func validate() throws {
    try requireAtLeast(
      1, ("--degree", degree), ("--feature-count", featureCount),
      ("--nuisance-degree", nuisanceDegree), ("--repeats", repeats))
    try requireAtLeast(2, ("--folds", folds))
    try requirePositive(("--length-scale", lengthScale))
    guard discount >= 0, discount < 1 else {
      throw ValidationError(
        "--discount must be at least 0 and less than 1, found \(discount); use 0.95, for example")
    }
    guard ridge >= 0, ridge.isFinite else {
      throw ValidationError("--ridge must be a number of 0 or more, found \(ridge)")
    }
  }

  /// The evaluation the options ask for.
  ///
  /// - Parameters:
  ///   - transitions: Whose deviations scale features.
  ///   - process: Where data are simulated.
  func evaluation(
    of transitions: Transitions, hasNumberedActions: Bool, process: BuiltInProcess?
  ) throws -> FittedQEvaluation {
    let stateSize = transitions.states.shape[1]
    let inputs = Tensor.concatenated([transitions.states, transitions.actions], alongAxis: 1)
    let kind = features ?? (process == .sine ? .sine : .polynomial)
    let featureInputs = hasNumberedActions ? transitions.states : inputs
    var draws = PhiloxGenerator(seed: seed).split(key: 1)
    let stateActionFeatures: StateActionFeatures
    switch kind {
    case .sine:
      guard stateSize == 1, !hasNumberedActions else {
        throw ValidationError("--features sine needs one state column and a continuous action")
      }
      stateActionFeatures = SineProcess.stateActionFeatures
    case .tabular:
      stateActionFeatures = try table(transitions, hasNumberedActions)
    case .polynomial:
      stateActionFeatures = Self.features(
        .polynomials(inputSize: featureInputs.shape[1], degree: degree), scaledTo: featureInputs,
        hasNumberedActions)
    case .fourier:
      stateActionFeatures = Self.features(
        .randomFourier(
          inputSize: featureInputs.shape[1], count: featureCount, lengthScale: lengthScale,
          ridge: 0, using: &draws),
        scaledTo: featureInputs, hasNumberedActions)
    }
    var plan = CrossFitting(
      foldCount: folds, repeatCount: repeats ?? (process == .cartpole ? 5 : 1), seed: seed)
    // Two transitions of numbered states and actions may be the same without being copies.
    plan.allowsDuplicates = kind == .tabular || allowDuplicates
    // Powers of correlated states are nearly dependent. A ridge would not mean the same, and a table
    // and the features of one's own are well as they are.
    let isSkewed = (kind == .polynomial || kind == .fourier) && ridge == 0
    return try FittedQEvaluation(
      features: isSkewed
        ? try stateActionFeatures.orthonormalized(on: transitions) : stateActionFeatures,
      discount: discount,
      nuisances: try learner(
        kind, stateActionFeatures, inputs, stateSize: stateSize, hasNumberedActions,
        process == .cartpole ? .polynomial : .kernel),
      crossFitting: plan, ridge: ridge)
  }

  private func learner(
    _ kind: FeatureKind, _ features: StateActionFeatures, _ inputs: Tensor, stateSize: Int,
    _ hasNumberedActions: Bool, _ usual: NuisanceKind
  ) throws -> NuisanceLearner {
    // A table holds its own nuisances.
    if kind == .tabular {
      return .linear(features.linearClass(stateSize: stateSize, ridge: 1e-8))
    }
    switch nuisances ?? usual {
    case .kernel: return .kernelRidge()
    case .polynomial:
      // Of columns of zeros and ones the powers and products say nothing new.
      let size = hasNumberedActions ? stateSize : inputs.shape[1]
      let base = LinearClass.polynomials(inputSize: size, degree: nuisanceDegree)
      let scaled = Self.features(
        base, scaledTo: inputs.slice(0..<size, alongAxis: 1), hasNumberedActions)
      return .linear(scaled.linearClass(stateSize: stateSize, ridge: 1e-8))
    }
  }

  private func table(
    _ transitions: Transitions, _ hasNumberedActions: Bool
  ) throws -> StateActionFeatures {
    let all = transitions.states.scalars + transitions.nextStates.scalars
    guard transitions.states.shape[1] == 1, hasNumberedActions,
      all.allSatisfy({ $0 >= 0 && $0 == $0.rounded() && $0 < 10_000 })
    else {
      throw ValidationError(
        "--features tabular needs one state column of whole numbers from 0 to 9999 and numbered "
          + "actions (--action-count)")
    }
    return .tabular(stateCount: Int(all.max() ?? 0) + 1)
  }

  /// Features of inputs that are centred and scaled to unit deviation.
  private static func features(
    _ linearClass: LinearClass, scaledTo inputs: Tensor, _ hasNumberedActions: Bool
  ) -> StateActionFeatures {
    let centre = inputs.mean(alongAxis: 0)
    let deviation = sqrt(square(inputs - centre).mean(alongAxis: 0))
    let scale = select(deviation .> 0, deviation, .ones(like: deviation))
    let scaled = LinearClass(name: linearClass.name, ridge: 0) { x in
      linearClass.features((x - centre) / scale)
    }
    return hasNumberedActions ? .perAction(scaled) : .joint(scaled)
  }
}
