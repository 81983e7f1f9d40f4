import Autodiff

/// How the adjoint function a* = −C⁻¹ d of a functional problem is found.
///
///     a = argmin ½ Σᵢ wᵢ a(xᵢ)ᵀ Cᵢ a(xᵢ) + Σⱼ a(xⱼ)ᵀ dⱼ
///
/// over a class of functions, where i runs over the inner sample and dⱼ is the cotangent of the
/// outer loss at the point xⱼ where the solution was evaluated.
public enum AdjointMethod: Sendable {
  /// The cheapest that is exact: in a linear class that class; behind a network the span of its
  /// features.
  case automatic
  /// In closed form in the span of the prediction network's features and a constant, with a penalty
  /// λ ‖W‖².
  case features(ridge: Double)
  /// In closed form in a linear class of its own.
  case linear(LinearClass)
  /// Point by point, a(xᵢ) = −Cᵢ⁻¹ dᵢ / wᵢ, over all functions on the inner sample; the solution
  /// must be evaluated at the inner inputs.
  ///
  /// Right where each x occurs once and the class of predictions is rich enough to fit any targets.
  case pointwise
  /// By training another network.
  case trained(NetworkClass)
}
