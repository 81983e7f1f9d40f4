/// How far an analytic derivative a may lie from its numeric reference n at one order.
///
/// They agree where
///
///     |a − n| ≤ relative · max(|a|, |n|) + absolute · S + floor + 10 · e
///
/// S is the largest |n| in the same tensor: a floor relative to the gradient's own scale, so that a
/// uniformly tiny gradient is still checked. The other floor is 10⁻¹² of the function's magnitude
/// per unit of the argument, below which double precision shows nothing. e is the estimated error of
/// the reference, which can be several times too small. Where 10 · e exceeds the rest, agreement
/// means little, and the outcome is *inconclusive* unless a and n agree to the rest alone.
public struct GradientTolerance: Sendable, Hashable, Codable {
  /// Relative to the larger of the two values.
  public var relative: Double
  /// Relative to the largest reference value in the same tensor.
  public var absolute: Double

  /// Creates a tolerance; both parts are relative, see `GradientTolerance`.
  public init(relative: Double, absolute: Double = 1e-9) {
    self.relative = relative
    self.absolute = absolute
  }
}

/// The tolerances of a gradient check, one for each kind of comparison.
public struct GradientTolerances: Sendable, Hashable, Codable {
  /// The value under a transform against the plain value.
  public var value: Double
  /// Identities that hold without finite differences: adjoint identity and linearity.
  public var identity: Double
  /// First derivatives.
  public var first: GradientTolerance
  /// Second derivatives.
  public var second: GradientTolerance
  /// Second derivatives taken in different mixtures of modes, against each other.
  public var modes: Double
  /// First derivatives in single precision against the same in double precision.
  public var singlePrecision: GradientTolerance
  /// The relative error of the function's own values, such as the tolerance of a solver inside it.
  public var noise: Double

  /// Creates tolerances; what is not given is as for double precision.
  public init(
    value: Double = 1e-12, identity: Double = 1e-10,
    first: GradientTolerance = GradientTolerance(relative: 1e-7),
    second: GradientTolerance = GradientTolerance(relative: 1e-5), modes: Double = 1e-8,
    singlePrecision: GradientTolerance = GradientTolerance(relative: 1e-3, absolute: 1e-5),
    noise: Double = 0
  ) {
    self.value = value
    self.identity = identity
    self.first = first
    self.second = second
    self.modes = modes
    self.singlePrecision = singlePrecision
    self.noise = noise
  }

  /// For functions evaluated in double precision.
  public static let float64 = GradientTolerances()

  /// For functions evaluated in single precision only (`GradientPrecision.asGiven`).
  public static let float32 = GradientTolerances(
    value: 1e-5, identity: 1e-4, first: GradientTolerance(relative: 1e-3, absolute: 1e-4),
    second: GradientTolerance(relative: 1e-2, absolute: 1e-4), modes: 1e-2,
    noise: Double(Float.ulpOfOne))
}

/// What the comparison of one number found.
public enum GradientOutcome: String, Sendable, Hashable, Codable {
  /// The values agree.
  case passed
  /// The values differ by more than the tolerance and the error of the reference.
  case failed
  /// The reference is not accurate enough to tell, or the function has a kink here.
  case inconclusive
}

extension GradientTolerance {
  /// The reference's error estimate is multiplied by this.
  package static let errorInflation = 10.0

  /// What the reference cannot resolve, per unit of the function's magnitude.
  static let resolution = 1e-12
  /// The same for comparisons in single precision.
  static let singleResolution = 1e-6

  /// The tolerance without the error of the reference.
  func limit(_ analytic: Double, _ numeric: Double, scale: Double, floor: Double) -> Double {
    relative * max(analytic.magnitude, numeric.magnitude) + absolute * scale + floor
  }

  /// Applies the acceptance test of the type's description.
  package func outcome(
    analytic: Double, numeric: Double, error: Double, scale: Double, floor: Double
  ) -> GradientOutcome {
    // Without an analytic value there is nothing that could agree; without a reference nothing
    // that could disagree.
    guard analytic.isFinite else { return .failed }
    guard numeric.isFinite else { return .inconclusive }
    let limit = limit(analytic, numeric, scale: scale, floor: floor)
    let inflated = Self.errorInflation * error
    let difference = (analytic - numeric).magnitude
    if difference <= limit { return .passed }
    if difference <= limit + inflated { return inflated > limit ? .inconclusive : .passed }
    return .failed
  }
}

/// In which precision a function is checked at a point that has `float32` tensors.
public enum GradientPrecision: String, Sendable, Hashable, Codable {
  /// The point is converted to `float64`, and the single-precision gradient is compared with the
  /// result. Tensors that the function captures or makes as `float32` are converted, exactly, where
  /// they meet `float64` ones; a function that insists on `float32` arguments needs `asGiven`.
  case double
  /// The function is evaluated in the point's own types only, to wider tolerances.
  case asGiven
}
