import Autodiff

/// When an inner solver stops.
///
/// By default a point is judged by what it is, not by where the search began: it is accepted as a
/// solution where its Newton step δ = F₁⁻¹ F is at most `accuracy` of it, or where rounding leaves
/// nothing to gain (see `SolutionCertificate`). F is the gradient of an objective, the residual of a
/// root, or x − T(x) of a fixed point.
///
/// `relative` puts a target of your own in the place of that rule: ‖F(x)‖ ≤ relative · ‖F(x₀)‖ +
/// absolute, with x₀ the layer's initial point, also when the solve is warm-started elsewhere. Such a
/// point is what was asked for, and nothing vouches for its distance from a solution.
public struct StoppingRule: Sendable, Equatable {
  /// τ, how long the Newton step may be relative to the point, tensor by tensor; nil is 1e-8, and 3e-4
  /// for float32.
  public var accuracy: Double?
  /// The size below which a tensor of the solution counts as zero, in the units of the solution: τ is
  /// relative to the larger of this and the tensor's norm.
  ///
  /// Next to a solution that is zero nothing else tells small from large.
  public var typicalMagnitude: Double
  /// The part of the residual at the initial point that may remain; nil asks for a certificate.
  public var relative: Double?
  /// A residual ‖F‖ that is always small enough.
  public var absolute: Double
  /// The most iterations.
  public var maximumIterations: Int

  /// A rule on the accuracy of the solution or, where `relative` is given, on the residual.
  ///
  /// - Precondition: No number is negative; the accuracy is above 0 and below 1.
  public init(
    accuracy: Double? = nil, typicalMagnitude: Double = 0, relative: Double? = nil,
    absolute: Double = 0, maximumIterations: Int = 1000
  ) {
    guard relative ?? 0 >= 0, absolute >= 0, typicalMagnitude >= 0, maximumIterations >= 0 else {
      stop(
        "StoppingRule",
        """
        tolerances, the typical magnitude and the iteration limit must not be negative, found \
        relative \(relative.map(number) ?? "nil"), absolute \(absolute), typicalMagnitude \
        \(typicalMagnitude), maximumIterations \(maximumIterations)
        """)
    }
    if let accuracy, !(accuracy > 0 && accuracy < 1) {
      stop("StoppingRule", "the accuracy must be above 0 and below 1, found \(accuracy)")
    }
    self.accuracy = accuracy
    self.typicalMagnitude = typicalMagnitude
    self.relative = relative
    self.absolute = absolute
    self.maximumIterations = maximumIterations
  }

  /// Whether a solution is accepted by its certificate.
  package var asksForCertificate: Bool { relative == nil }

  /// The residual that ends a run as asked for; negative where none does.
  package func threshold(scale: Double) -> Double {
    guard let relative else { return absolute > 0 ? absolute : -1 }
    return relative * scale + absolute
  }

  /// τ for vectors of a scalar type.
  package func accuracy(for scalarType: ScalarType) -> Double {
    accuracy ?? (scalarType == .float32 ? 3e-4 : 1e-8)
  }
}
