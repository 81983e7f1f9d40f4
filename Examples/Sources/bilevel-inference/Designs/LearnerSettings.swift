import Bilevel
import ExampleSupport
import InferenceDesigns
import Orthogonal

/// How the nuisances of a study are learned.
enum LearnerSettings: Codable, Equatable, Sendable {
  /// Kernel ridge regression.
  case kernel(KernelSettings)
  /// Ridge regression on fixed features with an absolute penalty.
  case features(FeatureMap, penalty: Double)

  var learner: NuisanceLearner {
    switch self {
    case .kernel(let settings): settings.learner
    case .features(let map, let penalty): map.learner(absolutePenalty: penalty)
    }
  }
}

/// Kernel ridge regression with a Gaussian kernel.
struct KernelSettings: Codable, Equatable, Sendable {
  /// How λ is chosen.
  enum Ridge: Codable, Equatable, Sendable {
    case fixed(Double)
    /// λ = constant · n^(−power) on n training rows.
    case rate(constant: Double, power: Double)
    /// The λ of least leave-one-out error times a factor.
    case crossValidated(factor: Double)
  }

  /// The length scale; nil for one that is chosen from the training rows.
  var lengthScale: Double?
  var ridge: Ridge
  var landmarkCount = 150
  var hasIntercept = false

  /// What `NuisanceLearner.kernelRidge()` is.
  static let standard = KernelSettings(ridge: .crossValidated(factor: 0.5), hasIntercept: true)

  var learner: NuisanceLearner {
    let rule: RidgeRule =
      switch ridge {
      case .fixed(let value): .fixed(value)
      case .rate(let constant, let power): .rate(constant: constant, power: power)
      case .crossValidated(let factor): .crossValidated(factor: factor)
      }
    return .kernelRidge(
      lengthScale.map { Kernel.gaussian(lengthScale: $0) }, ridge: rule,
      landmarkCount: landmarkCount, hasIntercept: hasIntercept)
  }
}

extension LearnerSettings {
  /// A kernel with λ = constant · n^−0.4.
  static func kernel(lengthScale: Double, constant: Double, hasIntercept: Bool = false) -> Self {
    .kernel(
      KernelSettings(
        lengthScale: lengthScale, ridge: .rate(constant: constant, power: 0.4),
        hasIntercept: hasIntercept))
  }
}

extension LearnerSettings: CustomStringConvertible {
  var description: String {
    switch self {
    case .kernel(let settings): "\(settings)"
    case .features(let map, let penalty):
      "\(map.title) features, absolute penalty \(Numbers.short(penalty))"
    }
  }
}

extension KernelSettings: CustomStringConvertible {
  var description: String {
    let scale =
      lengthScale.map { "length scale \(Numbers.short($0))" }
      ?? "length scale chosen on training rows"
    let ridge =
      switch self.ridge {
      case .fixed(let value): "λ = \(Numbers.short(value))"
      case .rate(let constant, let power):
        "λ = \(Numbers.short(constant)) n^−\(Numbers.short(power))"
      case .crossValidated(let factor):
        factor == 1 ? "cross-validated λ" : "\(Numbers.short(factor)) × cross-validated λ"
      }
    return "Gaussian kernel ridge regression, \(scale), \(ridge), \(landmarkCount) landmarks"
      + (hasIntercept ? ", intercept" : "")
  }
}
