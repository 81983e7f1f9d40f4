import Autodiff

/// A function applied to every element; a layer without tensors.
public enum Activation: String, Layer, CaseIterable {
  /// x.
  case identity
  /// max(x, 0), with derivative 0 at 0.
  case relu
  /// tanh x.
  case tanh
  /// 1 / (1 + e⁻ˣ).
  case sigmoid
  /// ln(1 + eˣ).
  case softplus
  /// x Φ(x) with the normal distribution function Φ, not its tanh approximation; Hendrycks and
  /// Gimpel, Gaussian error linear units (2016).
  case gelu
  /// x / (1 + e⁻ˣ).
  case silu

  /// The function of every element.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .identity: x
    case .relu: Autodiff.relu(x)
    case .tanh: Autodiff.tanh(x)
    case .sigmoid: Autodiff.sigmoid(x)
    case .softplus: Autodiff.softplus(x)
    case .gelu: Autodiff.gelu(x)
    case .silu: Autodiff.silu(x)
    }
  }
}
