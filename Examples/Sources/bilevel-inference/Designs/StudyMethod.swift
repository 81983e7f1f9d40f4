import ExampleSupport

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
  var title: String { words.title }
  /// A line of the help.
  var summary: String { words.summary }
  /// The colour in plots, the same whatever the method is compared with.
  var color: String { words.color }

  private var words: (title: String, summary: String, color: String) {
    switch self {
    case .oracle: ("oracle", "the orthogonal score with the true nuisances", SVGColor.black)
    case .obigrad: ("OBiGrad", "the orthogonal score, cross-fitted", SVGColor.blue)
    case .obigradSplit:
      (
        "OBiGrad, split nuisances", "the same, its two nuisances fitted on disjoint halves",
        SVGColor.sky
      )
    case .plugin:
      (
        "plug-in", "the functional hypergradient with the same cross-fitted nuisances",
        SVGColor.vermilion
      )
    case .pluginInSample:
      (
        "plug-in, in-sample", "the same, nuisances fitted on the rows it is evaluated on",
        SVGColor.orange
      )
    case .kboFixed:
      (
        "KBO, fixed λ", "the plug-in by kernel ridge regression with a fixed λ, two folds",
        SVGColor.green
      )
    case .kboDecaying: ("KBO, decaying λ", "the same with λ = 0.05 n^-0.6", SVGColor.gray)
    case .residual:
      (
        "residual gradient", "the gradient of the squared residual, without nuisances",
        SVGColor.purple
      )
    }
  }
}
