/// One number on which two evaluations that must agree do not.
///
/// JSON has no infinities: to encode a disagreement about a value that is not finite, set the
/// encoder's `nonConformingFloatEncodingStrategy`.
public struct GradientDisagreement: Sendable, Hashable, Codable {
  /// What was compared.
  public let check: GradientReport.Check
  /// `.failed`, or `.inconclusive` where the reference cannot tell.
  public internal(set) var outcome: GradientOutcome = .passed
  /// The path of the tensor, such as `argument 0.layers.1.weight`.
  ///
  /// A tensor of the function's result is `output` or `output.mean`; `all arguments` stands where
  /// no tensor could be singled out.
  public internal(set) var leaf: String
  /// The shape of that tensor.
  public internal(set) var shape: [Int]
  /// The index of the element; nil where the comparison is about the whole tensor.
  public internal(set) var index: [Int]?
  /// The value under test.
  public internal(set) var analytic: Double
  /// The reference, mostly a finite difference.
  public internal(set) var numeric: Double
  /// The estimated error of the reference; 0 where it is not a finite difference.
  public internal(set) var error: Double = 0
  /// Whether the function was undefined at a step that was tried for the reference.
  public internal(set) var isDomainLimited = false
  /// The tolerance that was applied.
  public let tolerance: GradientTolerance
  /// S of the acceptance test (see `GradientTolerance`).
  public internal(set) var scale: Double
  /// The resolution of the reference, the floor of the acceptance test.
  public internal(set) var floor: Double = 0
  /// What else is known, such as `possible kink` or `analytic is exactly 0`.
  public internal(set) var notes: [String] = []

  /// |analytic − numeric|.
  public var difference: Double { (analytic - numeric).magnitude }

  /// The difference relative to the larger of the two values.
  public var relativeDifference: Double {
    difference == 0 ? 0 : difference / max(analytic.magnitude, numeric.magnitude)
  }

  /// The largest difference that would have passed: the right side of the acceptance test.
  public var limit: Double {
    tolerance.limit(analytic, numeric, scale: scale, floor: floor)
      + GradientTolerance.errorInflation * error
  }

  /// The difference in units of the limit; infinite where either value is not finite.
  public var ratio: Double { differenceRatio(difference, limit) }
}

/// The difference in units of the limit, 0 for equal values whatever the limit.
func differenceRatio(_ difference: Double, _ limit: Double) -> Double {
  if difference == 0 { return 0 }
  let ratio = difference / limit
  return ratio.isNaN ? .infinity : ratio
}
