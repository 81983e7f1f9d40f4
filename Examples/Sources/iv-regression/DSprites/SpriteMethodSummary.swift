import SpriteRegression

extension SpriteMethod {
  /// What the method is, in a line of the help.
  var summary: String {
    switch self {
    case .dfiv: "back-propagation through both ridge regressions (Xu et al. 2021)"
    case .funcid: "functional implicit differentiation, adjoint by a network"
    case .funcidLinear: "the same, adjoint in closed form on the network's features"
    case .aid: "implicit differentiation in the parameters, conjugate gradients"
    case .itd: "back-propagation through the last inner steps"
    case .gradientPenalty: "joint training, penalty on the norm of the inner gradient"
    case .valueFunction: "joint training, penalty on the inner loss above its minimum"
    }
  }
}
