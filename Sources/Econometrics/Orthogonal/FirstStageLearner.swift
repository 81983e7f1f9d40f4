import Autodiff
import Bilevel
import Inference
import Neural
import Orthogonal

/// How the regressions of treatment features and outcome on instruments and exogenous variables are
/// learned, all of them columns of mean 0 and deviation 1.
public struct FirstStageLearner: Sendable, Equatable {
  /// The class of functions.
  public enum Kind: Sendable, Equatable {
    /// Kernel ridge regression with a Gaussian kernel.
    case kernel
    /// Least squares on the columns.
    case linear
    /// Ridge regression on all products of powers up to a total degree.
    case polynomial(degree: Int)
    /// Ridge regression on the features of a trained network.
    case network
  }

  /// The class of functions.
  public var kind: Kind
  /// λ of the penalty (λ/2) ‖f‖²; nil for a choice by leave-one-out error (a network: 0.01).
  public var ridge: Double?
  /// The length scale of the kernel; nil for the least leave-one-out error.
  public var bandwidth: Double?

  /// A learner.
  public init(_ kind: Kind = .kernel, ridge: Double? = nil, bandwidth: Double? = nil) {
    (self.kind, self.ridge, self.bandwidth) = (kind, ridge, bandwidth)
  }

  /// The rule that picks the class on a training fold.
  public var nuisances: NuisanceLearner {
    switch kind {
    case .kernel:
      return .kernelRidge(
        bandwidth.map { .gaussian(lengthScale: $0) },
        ridge: ridge.map { .fixed($0) } ?? .crossValidated())
    case .linear:
      return .linear(
        LinearClass(
          name: "linear", ridge: (ridge ?? 0) / 2, hasIntercept: true, penalizesIntercept: false
        ) { $0 })
    case .polynomial(let degree): return polynomial(degree)
    case .network: return network
    }
  }

  /// What the regressions take of memory at most, in bytes, by measurement: the features of all rows and
  /// their products in several forms.
  public func byteCount(rows: Int, variables: Int) -> Double {
    let features: Double =
      switch kind {
      case .kernel: 151.0
      case .linear: Double(variables + 1)
      // All monomials up to the degree, C(p + d, d).
      case .polynomial(let degree):
        (1...degree).reduce(1.0) { $0 * Double(variables + $1) / Double($1) }
      case .network: 100
      }
    return 40 * Double(rows) * features + 50 * features * features
  }

  private func polynomial(_ degree: Int) -> NuisanceLearner {
    let rule = ridge.map { "λ = \(Numbers.significant($0))" } ?? "cross-validated λ"
    return NuisanceLearner(name: "polynomials of degree \(degree) with interactions, \(rule)") {
      fold in
      let polynomials = LinearClass.polynomials(
        inputSize: fold.inputs.shape[1], degree: degree)
      let monomials: @Sendable (Tensor) -> Tensor = { polynomials.features($0)[0..., 1...] }
      let columns = monomials(fold.inputs)
      // Powers of a rare indicator are large; one penalty is fair to features of one size only.
      let deviation = sqrt(columns.variance(alongAxes: [0]))
      let scale = select(deviation .> 0, deviation, Tensor.ones(like: deviation))
      func linearClass(_ penalty: Double) -> LinearClass {
        LinearClass(
          name: "\(columns.shape[1]) monomials", ridge: penalty, hasIntercept: true,
          penalizesIntercept: false
        ) { monomials($0) / scale }
      }
      if let ridge { return .linear(linearClass(ridge / 2)) }
      let ridges = (0...24).map { 0.5 * pow(Tensor(10), Tensor(Double($0) / 4 - 5)).scalar }
      let risks = try fold.risks(of: linearClass(0), ridges: ridges)
      let best = zip(ridges, risks).min { $0.1 < $1.1 }
      return .linear(linearClass(best?.0 ?? 1))
    }
  }

  private var network: NuisanceLearner {
    let ridge = ridge ?? 1e-2
    return NuisanceLearner(
      name: "network with tanh layers of 16 and 8, λ = \(Numbers.significant(ridge))"
    ) {
      fold in
      .network(
        NetworkClass(
          features: MLP(
            widths: [fold.inputs.shape[1], 16, 8], activation: .tanh, finalActivation: .tanh,
            using: &fold.generator),
          head: .closedForm(ridge: ridge / 2),
          training: InnerTraining(
            optimizer: Adam(learningRate: 3e-3, weightDecay: 0.1, isDecayDecoupled: true),
            stepCount: 100)))
    }
  }
}

extension FirstStageLearner.Kind: CustomStringConvertible {
  /// The class of a name such as `kernel`, `linear`, `polynomial:2` or `network`.
  public init?(_ name: String) {
    switch sized(name) {
    case ("kernel", nil): self = .kernel
    case ("linear", nil): self = .linear
    case ("network", nil): self = .network
    case ("polynomial", .some(let degree)) where 1...5 ~= degree: self = .polynomial(degree: degree)
    default: return nil
    }
  }

  /// The name by which the class is asked for.
  public var description: String {
    switch self {
    case .kernel: "kernel"
    case .linear: "linear"
    case .polynomial(let degree): "polynomial:\(degree)"
    case .network: "network"
    }
  }
}
