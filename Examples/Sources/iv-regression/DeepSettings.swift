/// How `deep` trains.
///
/// The defaults suit the simulated design and its noise; they were chosen on other samples than the
/// ones it reports.
struct DeepSettings: Encodable {
  /// Observations simulated without `--data`.
  var observations = 10_000
  /// ρ of the simulated design.
  var correlation = 0.9
  /// Outer iterations.
  var iterations = 150
  /// Inner steps to one outer step.
  var innerSteps = 10
  /// Hidden widths of both networks.
  var hidden = [128, 64]
  /// Treatment features.
  var features = 64
  /// The learning rate of both optimisers.
  var learningRate = 1e-2
  /// The penalty of the weights of both optimisers.
  var weightDecay = 1e-4
  /// Ridge of the head that predicts treatment features, per observation.
  var firstRidge = 1e-4
  /// Ridge of the head that predicts the outcome, per observation.
  var secondRidge = 1e-4

  /// The share of a file's rows that features are not learned from, for intervals; a simulation draws
  /// new ones.
  var heldOut = 0.0

  /// Defaults for a file of one's own: a smaller model with more ridge, because most have fewer
  /// observations than the simulation.
  ///
  /// Chosen on simulated linear models of 200 to 5,000 rows.
  static let forFiles = DeepSettings(
    iterations: 60, hidden: [32], features: 8, learningRate: 3e-3, firstRidge: 1e-3,
    secondRidge: 1e-2, heldOut: 0.25)
}
