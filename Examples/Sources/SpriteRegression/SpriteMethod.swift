/// A way to fit the dSprites benchmark.
public enum SpriteMethod: String, CaseIterable, Sendable, Codable {
  /// Back-propagation through both ridge regressions; Xu et al. (2021).
  case dfiv
  /// Functional implicit differentiation with a trained adjoint network; Petrulionyte, Mairal and
  /// Arbel (2024).
  case funcid
  /// The same with the adjoint in closed form on the instrument network's features.
  case funcidLinear = "funcid-linear"
  /// Approximate implicit differentiation in the network's parameters, by conjugate gradients.
  case aid
  /// Back-propagation through the last inner steps.
  case itd
  /// Joint training with a penalty on the norm of the inner gradient.
  case gradientPenalty = "gradient-penalty"
  /// Joint training with a penalty on the inner loss above its minimum.
  case valueFunction = "value-function"

  /// A name for tables and plots.
  public var title: String {
    switch self {
    case .dfiv: "DFIV"
    case .funcid: "FuncID"
    case .funcidLinear: "FuncID linear"
    case .aid: "AID"
    case .itd: "ITD"
    case .gradientPenalty: "gradient penalty"
    case .valueFunction: "value function"
    }
  }
}
