import ArgumentParser
import ExampleSupport
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
    for setting in SpriteSetting.all(self) { try setting.requireInRange() }
  }

  /// Refuses an option that none of the methods looks at.
  func requireUse(by methods: [SpriteMethod]) throws {
    for setting in SpriteSetting.all(self) where setting.written != nil {
      guard let users = setting.users, !methods.contains(where: users.contains) else { continue }
      let names = users.map { "'\($0.rawValue)'" }.joined(separator: " or ")
      throw ValidationError("\(setting.name) is for \(names); leave it out, or add --method")
    }
  }

  /// The settings of a method at a sample size.
  func settings(_ method: SpriteMethod, size: Int) -> SpriteSettings {
    let half = size / 2
    var settings =
      paperSettings
      ? SpriteSettings.published(method, half: half) : SpriteSettings.tuned(method, half: half)
    for setting in SpriteSetting.all(self) where !setting.isOfAdjoint || method == .funcid {
      setting.replace(in: &settings)
    }
    return settings
  }

  /// Which settings are used, for the table and the plot: where from, and what replaces them.
  var summary: String {
    ([paperSettings ? "published" : "chosen here"] + SpriteSetting.all(self).compactMap(\.written))
      .joined(separator: ", ")
  }
}

/// A setting with the option that sets it.
struct SpriteSetting {
  /// The name of the option.
  let name: String
  /// The option as it is written; nil where it is not given.
  private(set) var written: String?
  /// The methods that look at it; nil for all.
  private(set) var users: [SpriteMethod]?
  /// What it is in settings.
  let value: (SpriteSettings) -> String
  private let set: (inout SpriteSettings) -> Void
  private let check: () throws -> Void

  /// Whether it is one of the trained adjoint, which only a method that has one takes.
  var isOfAdjoint: Bool { users == [.funcid] }

  func requireInRange() throws { try check() }
  func replace(in settings: inout SpriteSettings) { set(&settings) }

  private init<Value: CustomStringConvertible>(
    _ name: String, _ given: Value?, _ path: WritableKeyPath<SpriteSettings, Value>,
    for users: [SpriteMethod]? = nil, check: @escaping () throws -> Void
  ) {
    (self.name, self.users, self.check) = (name, users, check)
    written = given.map { "\(name) \($0)" }
    let isOfAdjoint = users == [.funcid]
    value = { settings in
      if isOfAdjoint, settings.adjoint == nil { return "none" }
      let value = settings[keyPath: path]
      return (value as? Bool).map { $0 ? "on" : "off" } ?? "\(value)"
    }
    set = { if let given { $0[keyPath: path] = given } }
  }

  private static func count(
    _ name: String, _ given: Int?, _ path: WritableKeyPath<SpriteSettings, Int>,
    most: Int = 100_000, for users: [SpriteMethod]? = nil
  ) -> SpriteSetting {
    .init(name, given, path, for: users) { try requireRange((name, given, 1...most)) }
  }

  private static func number(
    _ name: String, _ given: Double?, _ path: WritableKeyPath<SpriteSettings, Double>,
    orZero allowsZero: Bool = false, for users: [SpriteMethod]? = nil
  ) -> SpriteSetting {
    .init(name, given, path, for: users) {
      guard allowsZero else { return try requirePositive((name, given)) }
      if let given, !(given >= 0 && given.isFinite) {
        throw ValidationError("\(name) must be a number of at least 0, not \(given)")
      }
    }
  }

  private static func flag(
    _ name: String, _ given: Bool?, _ path: WritableKeyPath<SpriteSettings, Bool>
  ) -> SpriteSetting {
    var setting = SpriteSetting("--\(name)", given, path) {}
    setting.written = given.map { $0 ? "--\(name)" : "--no-\(name)" }
    return setting
  }

  /// Every setting, with what options give for it.
  static func all(_ given: SpriteSettingOptions?) -> [SpriteSetting] {
    let penalties: [SpriteMethod] = [.gradientPenalty, .valueFunction]
    return [
      .count("--iterations", given?.iterations, \.iterations, most: 1_000_000),
      .count("--inner-steps", given?.innerSteps, \.innerSteps),
      .number("--outer-learning-rate", given?.outerLearningRate, \.outerLearningRate),
      .number("--outer-weight-decay", given?.outerWeightDecay, \.outerWeightDecay, orZero: true),
      .number("--inner-learning-rate", given?.innerLearningRate, \.innerLearningRate),
      .number("--inner-weight-decay", given?.innerWeightDecay, \.innerWeightDecay, orZero: true),
      .number("--first-ridge", given?.firstRidge, \.firstRidge),
      .number("--second-ridge", given?.secondRidge, \.secondRidge),
      .number("--variance-penalty", given?.variancePenalty, \.variancePenalty, orZero: true),
      .flag("cross-fit", given?.crossFits, \.crossFits),
      .flag(
        "standardize-instruments", given?.standardizeInstruments, \.standardizesInstruments),
      .flag("decay-learning-rates", given?.decayLearningRates, \.decaysLearningRates),
      .count("--adjoint-steps", given?.adjointSteps, \.trainedAdjoint.steps, for: [.funcid]),
      .number(
        "--adjoint-learning-rate", given?.adjointLearningRate, \.trainedAdjoint.learningRate,
        for: [.funcid]),
      .number(
        "--adjoint-weight-decay", given?.adjointWeightDecay, \.trainedAdjoint.weightDecay,
        orZero: true, for: [.funcid]),
      .count(
        "--conjugate-gradient-iterations", given?.conjugateGradientIterations,
        \.conjugateGradientIterations, for: [.aid]),
      .count("--unrolled-steps", given?.unrolledSteps, \.unrolledSteps, for: [.itd]),
      .number("--penalty", given?.penalty, \.penalty, for: penalties),
    ]
  }
}

extension SpriteSettings {
  /// The trained adjoint, which there is as soon as one of its settings is given.
  fileprivate var trainedAdjoint: Adjoint {
    get { adjoint ?? Adjoint() }
    set { adjoint = newValue }
  }
}
