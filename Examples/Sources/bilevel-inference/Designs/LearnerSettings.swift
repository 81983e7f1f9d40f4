import Bilevel
import InferenceDesigns

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

  var learner: NuisanceLearner {
    let rule: RidgeRule =
      switch ridge {
      case .rate(let constant, let power):
        power == 0 ? .fixed(constant) : .rate(constant: constant, power: power)
      case .crossValidated(let factor): .crossValidated(factor: factor)
      }
    return .kernelRidge(
      lengthScale.map { Kernel.gaussian(lengthScale: $0) }, ridge: rule,
      landmarkCount: landmarkCount, hasIntercept: hasIntercept)
  }
}

extension LearnerSettings: CustomStringConvertible {
  var description: String {
    switch self {
    case .kernel(let settings): "\(settings)"
    case .features(let map, let penalty): "\(map.rawValue) features, absolute penalty \(penalty)"
    }
  }
}

extension KernelSettings: CustomStringConvertible {
  var description: String {
    let scale = lengthScale.map { "length scale \($0)" } ?? "length scale chosen on training rows"
    let ridge =
      switch self.ridge {
      case .rate(let constant, let power): "λ = \(constant) n^−\(power)"
      case .crossValidated(let factor):
        factor == 1 ? "cross-validated λ" : "\(factor) × cross-validated λ"
      }
    return "Gaussian kernel ridge regression, \(scale), \(ridge), \(landmarkCount) landmarks"
      + (hasIntercept ? ", intercept" : "")
  }
}
