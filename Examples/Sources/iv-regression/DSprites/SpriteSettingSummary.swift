extension SpriteSettingOptions {
  /// Which settings are used, for the table and the plot: where from, and what replaces them.
  var summary: String {
    ([paperSettings ? "published" : "chosen here"] + replacements).joined(separator: ", ")
  }

  /// The options that are given, as they are written.
  private var replacements: [String] {
    func value(_ name: String, _ value: (some CustomStringConvertible)?) -> String? {
      value.map { "\(name) \($0)" }
    }
    func flag(_ name: String, _ isOn: Bool?) -> String? {
      isOn.map { $0 ? "--\(name)" : "--no-\(name)" }
    }
    return [
      value("--iterations", iterations), value("--inner-steps", innerSteps),
      value("--outer-learning-rate", outerLearningRate),
      value("--outer-weight-decay", outerWeightDecay),
      value("--inner-learning-rate", innerLearningRate),
      value("--inner-weight-decay", innerWeightDecay), value("--first-ridge", firstRidge),
      value("--second-ridge", secondRidge), value("--variance-penalty", variancePenalty),
      flag("cross-fit", crossFits), flag("standardize-instruments", standardizeInstruments),
      flag("decay-learning-rates", decayLearningRates), value("--adjoint-steps", adjointSteps),
      value("--adjoint-learning-rate", adjointLearningRate),
      value("--adjoint-weight-decay", adjointWeightDecay),
      value("--conjugate-gradient-iterations", conjugateGradientIterations),
      value("--unrolled-steps", unrolledSteps), value("--penalty", penalty),
    ].compactMap { $0 }
  }
}
