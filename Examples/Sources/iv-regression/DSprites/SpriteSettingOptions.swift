import ArgumentParser
import SpriteRegression

/// The options of `dsprites` that replace single settings of the methods.
struct SpriteSettingOptions: ParsableArguments {
  @Flag(help: "Start from the published settings of each method, not from those chosen here.")
  var paperSettings = false

  @Option(help: "Outer iterations.")
  var iterations: Int?

  @Option(help: "Steps of the instrument network in an outer iteration.")
  var innerSteps: Int?

  @Option(help: "Adam's learning rate of the treatment network.")
  var outerLearningRate: Double?

  @Option(help: "Coupled weight decay of the treatment network, of a loss that is a mean.")
  var outerWeightDecay: Double?

  @Option(help: "Adam's learning rate of the instrument network.")
  var innerLearningRate: Double?

  @Option(help: "Coupled weight decay of the instrument network.")
  var innerWeightDecay: Double?

  @Option(help: "Ridge per observation of the head that predicts treatment features.")
  var firstRidge: Double?

  @Option(help: "Ridge per observation of the head that predicts the outcome.")
  var secondRidge: Double?

  @Option(
    help: "Penalty on how much the fitted function varies at given instruments; 0 for none.")
  var variancePenalty: Double?

  @Flag(
    name: .customLong("cross-fit"), inversion: .prefixedNo,
    help: "Use both halves in both stages, each predicted by a network fitted to the other.")
  var crossFits: Bool?

  @Flag(inversion: .prefixedNo, help: "Scale instruments to mean 0 and variance 1.")
  var standardizeInstruments: Bool?

  @Flag(inversion: .prefixedNo, help: "Let learning rates fall to zero along a cosine.")
  var decayLearningRates: Bool?

  @Option(help: "Steps of the adjoint network of 'funcid' in an outer iteration.")
  var adjointSteps: Int?

  @Option(help: "Adam's learning rate of the adjoint network of 'funcid'.")
  var adjointLearningRate: Double?

  @Option(help: "Coupled weight decay of the adjoint network of 'funcid'.")
  var adjointWeightDecay: Double?

  @Option(help: "Products of conjugate gradients of 'aid' in an outer iteration.")
  var conjugateGradientIterations: Int?

  @Option(help: "Inner steps that 'itd' differentiates.")
  var unrolledSteps: Int?

  @Option(help: "Strength of the penalty of 'gradient-penalty' and 'value-function'.")
  var penalty: Double?

  func validate() throws {
    for (name, value, range) in [
      ("--iterations", iterations, 1...1_000_000), ("--inner-steps", innerSteps, 1...100_000),
      ("--adjoint-steps", adjointSteps, 1...100_000),
      ("--conjugate-gradient-iterations", conjugateGradientIterations, 1...100_000),
      ("--unrolled-steps", unrolledSteps, 1...100_000),
    ] {
      guard let value, !range.contains(value) else { continue }
      throw ValidationError(
        "\(name) must be between \(range.lowerBound) and \(range.upperBound), not \(value)")
    }
    for (name, value) in [
      ("--outer-learning-rate", outerLearningRate), ("--inner-learning-rate", innerLearningRate),
      ("--first-ridge", firstRidge), ("--second-ridge", secondRidge),
      ("--adjoint-learning-rate", adjointLearningRate), ("--penalty", penalty),
    ] {
      guard let value, !(value > 0 && value.isFinite) else { continue }
      throw ValidationError("\(name) must be a positive number, not \(value)")
    }
    for (name, value) in [
      ("--outer-weight-decay", outerWeightDecay), ("--inner-weight-decay", innerWeightDecay),
      ("--adjoint-weight-decay", adjointWeightDecay), ("--variance-penalty", variancePenalty),
    ] {
      guard let value, !(value >= 0 && value.isFinite) else { continue }
      throw ValidationError("\(name) must be a number of at least 0, not \(value)")
    }
  }

  /// Refuses an option that none of the methods looks at.
  func requireUse(by methods: [SpriteMethod]) throws {
    let penalties: [SpriteMethod] = [.gradientPenalty, .valueFunction]
    for (name, isGiven, users) in [
      ("--adjoint-steps", adjointSteps != nil, [SpriteMethod.funcid]),
      ("--adjoint-learning-rate", adjointLearningRate != nil, [.funcid]),
      ("--adjoint-weight-decay", adjointWeightDecay != nil, [.funcid]),
      ("--conjugate-gradient-iterations", conjugateGradientIterations != nil, [.aid]),
      ("--unrolled-steps", unrolledSteps != nil, [.itd]),
      ("--penalty", penalty != nil, penalties),
    ] where isGiven && !methods.contains(where: users.contains) {
      let names = users.map { "'\($0.rawValue)'" }.joined(separator: " or ")
      throw ValidationError("\(name) is for \(names); leave it out, or add --method")
    }
  }

  /// The settings of a method at a sample size.
  func settings(_ method: SpriteMethod, size: Int) -> SpriteSettings {
    let half = size / 2
    var settings =
      paperSettings
      ? SpriteSettings.published(method, half: half) : SpriteSettings.tuned(method, half: half)
    func replace<T>(_ path: WritableKeyPath<SpriteSettings, T>, _ value: T?) {
      if let value { settings[keyPath: path] = value }
    }
    replace(\.iterations, iterations)
    replace(\.innerSteps, innerSteps)
    replace(\.outerLearningRate, outerLearningRate)
    replace(\.outerWeightDecay, outerWeightDecay)
    replace(\.innerLearningRate, innerLearningRate)
    replace(\.innerWeightDecay, innerWeightDecay)
    replace(\.firstRidge, firstRidge)
    replace(\.secondRidge, secondRidge)
    replace(\.variancePenalty, variancePenalty)
    replace(\.crossFits, crossFits)
    replace(\.standardizesInstruments, standardizeInstruments)
    replace(\.decaysLearningRates, decayLearningRates)
    replace(\.conjugateGradientIterations, conjugateGradientIterations)
    replace(\.unrolledSteps, unrolledSteps)
    replace(\.penalty, penalty)
    if method == .funcid, var adjoint = settings.adjoint ?? givenAdjoint {
      adjoint.steps = adjointSteps ?? adjoint.steps
      adjoint.learningRate = adjointLearningRate ?? adjoint.learningRate
      adjoint.weightDecay = adjointWeightDecay ?? adjoint.weightDecay
      settings.adjoint = adjoint
    }
    return settings
  }

  /// A trained adjoint, if an option asks for one.
  private var givenAdjoint: SpriteSettings.Adjoint? {
    let isGiven = adjointSteps != nil || adjointLearningRate != nil || adjointWeightDecay != nil
    return isGiven ? SpriteSettings.Adjoint() : nil
  }
}

extension SpriteSettings {
  /// Every setting, by the option that sets it.
  var options: [(name: String, value: String)] {
    [
      ("--iterations", "\(iterations)"), ("--inner-steps", "\(innerSteps)"),
      ("--outer-learning-rate", "\(outerLearningRate)"),
      ("--outer-weight-decay", "\(outerWeightDecay)"),
      ("--inner-learning-rate", "\(innerLearningRate)"),
      ("--inner-weight-decay", "\(innerWeightDecay)"), ("--first-ridge", "\(firstRidge)"),
      ("--second-ridge", "\(secondRidge)"),
      ("--variance-penalty", "\(variancePenalty)"),
      ("--cross-fit", crossFits ? "on" : "off"),
      ("--standardize-instruments", standardizesInstruments ? "on" : "off"),
      ("--decay-learning-rates", decaysLearningRates ? "on" : "off"),
      ("--adjoint-steps", adjoint.map { "\($0.steps)" } ?? "none"),
      ("--adjoint-learning-rate", adjoint.map { "\($0.learningRate)" } ?? "none"),
      ("--adjoint-weight-decay", adjoint.map { "\($0.weightDecay)" } ?? "none"),
      ("--conjugate-gradient-iterations", "\(conjugateGradientIterations)"),
      ("--unrolled-steps", "\(unrolledSteps)"), ("--penalty", "\(penalty)"),
    ]
  }
}
