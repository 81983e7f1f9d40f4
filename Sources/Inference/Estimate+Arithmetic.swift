import Autodiff

// Estimates from the same sample are dependent and their rows combine; those from different samples
// are independent and keep their rows side by side.

extension Estimate {
  /// The sum of two estimates, coordinate by coordinate.
  ///
  /// - Precondition: Equal numbers of coordinates; equal rows and clusters in a common sample.
  public static func + (a: Estimate, b: Estimate) -> Estimate { combined(a, b, "+") }

  /// The difference of two estimates, coordinate by coordinate.
  ///
  /// - Precondition: Equal numbers of coordinates; equal rows and clusters in a common sample.
  public static func - (a: Estimate, b: Estimate) -> Estimate { combined(a, b, "-") }

  /// The estimate of −θ.
  public static prefix func - (a: Estimate) -> Estimate { a.map { -$0 } }

  /// The estimate of a multiple of θ.
  ///
  /// - Precondition: The factor is finite.
  public static func * (factor: Double, a: Estimate) -> Estimate {
    guard factor.isFinite else {
      stop("Estimate.*", "expected a finite factor, found \(factor). Check how it is computed")
    }
    return a.map { factor * $0 }
  }

  /// The estimate of a multiple of θ.
  ///
  /// - Precondition: The factor is finite.
  public static func * (a: Estimate, factor: Double) -> Estimate { factor * a }

  private static func combined(_ a: Estimate, _ b: Estimate, _ sign: String) -> Estimate {
    let operation = "Estimate.\(sign)"
    guard a.count == b.count else {
      stop(
        operation,
        "expected estimates of equally many coordinates, found \(a.count) and "
          + "\(b.count). Select the same coordinates of both")
    }
    let signed = sign == "-" ? -b : b
    var influence = a.influence
    for part in signed.influence { merge(part, into: &influence, operation) }
    return Estimate(
      checked: a.value + signed.value,
      a.names == b.names ? a.names : zip(a.names, b.names).map { "\($0) \(sign) \($1)" },
      influence)
  }

  /// A linear function that acts on value and rows alike and keeps the coordinates.
  private func map(_ transform: (Tensor) -> Tensor) -> Estimate {
    Estimate(checked: transform(value), names, influence.map { $0.map(transform) })
  }
}
