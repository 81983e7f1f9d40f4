import Autodiff
import Bilevel
import Orthogonal

/// Features of regressions, with a constant beside them.
///
/// All but the polynomials are those of El Khoury, Zenati, Kallus, Arbel and Bibaut (2026).
public enum FeatureMap: String, Sendable, Codable, CaseIterable {
  /// The inputs themselves.
  case linear
  /// The 14 monomials of two inputs of degree 1 to 4.
  case quarticPolynomials
  /// sin(k s) and cos(k s), k = 1, …, 8, of s = Σ X less its mean on the training rows.
  case sumFourier
  /// 18 functions of a state and their products with a binary action, and the action.
  case bellman

  /// A word for it.
  public var title: String {
    switch self {
    case .linear: "linear"
    case .quarticPolynomials: "quartic polynomial"
    case .sumFourier: "Fourier"
    case .bellman: "Bellman"
    }
  }

  /// Ridge regression on the features and a constant that is not penalised, by an absolute penalty:
  /// the weights are (ZᵀZ + α I)⁻¹ Zᵀ T, whatever the number of rows.
  public func learner(absolutePenalty: Double) -> NuisanceLearner {
    NuisanceLearner(name: "ridge regression, \(title) features, α = \(absolutePenalty)") {
      fold in
      let features = features(trainedOn: fold.inputs)
      return .linear(
        LinearClass(
          name: "\(title) features", ridge: absolutePenalty / (2 * Double(fold.count)),
          hasIntercept: true,
          penalizesIntercept: false, features: features))
    }
  }

  /// The map without the constant, from [n, p] to [n, m].
  func features(trainedOn inputs: Tensor) -> @Sendable (Tensor) -> Tensor {
    switch self {
    case .linear: return { $0 }
    case .quarticPolynomials: return Self.monomials
    case .bellman: return Self.bellman
    case .sumFourier:
      let center = inputs.sum(alongAxis: 1).mean()
      return { x in
        let s = (x.sum(alongAxis: 1) - center).expandingShape(at: 1) * (Tensor.range(8) + 1)
        return .concatenated([sin(s), cos(s)], alongAxis: 1)
      }
    }
  }

  private static func monomials(_ x: Tensor) -> Tensor {
    func power(_ base: Tensor, _ exponent: Int) -> Tensor {
      (0..<exponent).reduce(.ones(like: base)) { product, _ in product * base }
    }
    let exponents = (1...4).flatMap { degree in (0...degree).map { ($0, degree - $0) } }
    return .stacked(
      exponents.map { power(x[0..., 0], $0.0) * power(x[0..., 1], $0.1) }, alongAxis: 1)
  }

  private static func bellman(_ x: Tensor) -> Tensor {
    let (s, action) = (x.slice(0..<1, alongAxis: 1), x.slice(1..<2, alongAxis: 1))
    let waves = s * Tensor([0.5, 0.75, 1, 1.5, 2])
    let bumps = exp(-0.5 * square((s - Tensor([-2, -1, 0, 1, 2])) / 0.8))
    let ofState = Tensor.concatenated(
      [s, square(s), s * square(s), sin(waves), cos(waves), bumps], alongAxis: 1)
    return .concatenated([ofState, action, action * ofState], alongAxis: 1)
  }
}
