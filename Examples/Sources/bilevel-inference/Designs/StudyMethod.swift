/// An estimator of the gradient that a study compares.
enum StudyMethod: String, Codable, CaseIterable, Sendable {
  case oracle
  case obigrad
  case obigradSplit = "obigrad-split"
  case plugin
  case pluginInSample = "plugin-insample"
  case kboFixed = "kbo-fixed"
  case kboDecaying = "kbo-decaying"
  case residual

  /// The name in tables and plots.
  var title: String {
    switch self {
    case .oracle: "oracle"
    case .obigrad: "OBiGrad"
    case .obigradSplit: "OBiGrad, split nuisances"
    case .plugin: "plug-in"
    case .pluginInSample: "plug-in, in-sample"
    case .kboFixed: "KBO, fixed λ"
    case .kboDecaying: "KBO, decaying λ"
    case .residual: "residual gradient"
    }
  }

  /// A line of the help.
  var summary: String {
    switch self {
    case .oracle: "the orthogonal score with the true nuisances"
    case .obigrad: "the orthogonal score, cross-fitted"
    case .obigradSplit: "the same, its two nuisances fitted on disjoint halves"
    case .plugin: "the functional hypergradient with the same cross-fitted nuisances"
    case .pluginInSample: "the same, nuisances fitted on the rows it is evaluated on"
    case .kboFixed: "the plug-in by kernel ridge regression with a fixed λ, two folds"
    case .kboDecaying: "the same with λ = 0.05 n^-0.6"
    case .residual: "the gradient of the squared residual, without nuisances"
    }
  }
}
