import Autodiff
import Orthogonal
import Solvers

/// A published scalar instrumental-variable design: figures 4 and 5 of El Khoury, Zenati, Kallus,
/// Arbel and Bibaut (2026).
///
///     X ~ N(0, I₃),  η ~ N(0, 0.1),  T = 2 (X₁ + X₂ + X₃) + η,  Y = 2 T + 0.5 η + N(0, 0.1²)
public struct PaperScalarIV: NormalInputDesign {
  public let stationaryPoint = Tensor([2])
  public let evaluationPoint = Tensor([2.35])
  public let hessian = Tensor(rows: [[12]])

  /// The design.
  public init() {}

  public var inputCovariance: Tensor { .identity(3) }

  public func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) -> AffineProblem {
    let inputs = Tensor.normal([count, 3], using: &generator)
    let noise = normal(count, deviation: squareRoot(0.1), &generator)
    let treatment = 2 * inputs.sum(alongAxis: 1) + noise
    return try AffineProblem(
      inputs: inputs, innerSlope: treatment.expandingShape(at: 1),
      outcome: 2 * treatment + 0.5 * noise + normal(count, deviation: 0.1, &generator))
  }

  public func nuisances(at inputs: Tensor) -> AffineNuisances {
    let slope = 2 * inputs.sum(alongAxis: 1)
    return AffineNuisances(
      intercept: .zeros([inputs.shape[0]]), slope: slope.expandingShape(at: 1), outcome: 2 * slope)
  }
}

/// A published vector instrumental-variable design: figures 1 to 3 of El Khoury, Zenati, Kallus,
/// Arbel and Bibaut (2026).
///
///     X ~ N(0, I₃),  η ~ N(0, 0.1),  T = 2 (X₁ + X₂ + X₃) + η,  φ_l(t) = sin(t + l),  l = 1, …, 4
///     Y = ω*ᵀφ(T) + c η + N(0, s²)
///
/// The four features span two dimensions, so A and the covariance of the score have rank 2 and the
/// root is not identified.
public struct PaperSineIV: NormalInputDesign {
  /// How the outcome depends on T's noise and on its own.
  public enum Outcome: Sendable {
    /// c = 0, s = 0.25: figures 1 and 2.
    case unconfounded
    /// c = 0.5, s = 0: figure 3.
    case confounded
  }

  public let stationaryPoint: Tensor
  public let evaluationPoint: Tensor
  public let hessian: Tensor
  private let outcome: Outcome

  private static let treatmentVariance = 0.1
  private static let shifts = Tensor([1, 2, 3, 4])

  /// A design.
  public init(_ outcome: Outcome = .unconfounded) {
    self.outcome = outcome
    stationaryPoint = Self.shifts / Self.shifts.norm()
    evaluationPoint = shifted(stationaryPoint, by: 0.35, along: [1, 1.0 / 3, -1.0 / 3, -1])
    let (rows, columns) = (Self.shifts.expandingShape(at: 1), Self.shifts.expandingShape(at: 0))
    hessian =
      0.5 * exponential(-Self.treatmentVariance)
      * (cos(rows - columns) - exponential(-24) * cos(rows + columns))
  }

  public var inputCovariance: Tensor { .identity(3) }

  public func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) -> AffineProblem {
    let inputs = Tensor.normal([count, 3], using: &generator)
    let noise = normal(count, deviation: squareRoot(Self.treatmentVariance), &generator)
    let features = Self.features(2 * inputs.sum(alongAxis: 1) + noise)
    var label = product(features, stationaryPoint)
    switch outcome {
    case .unconfounded: label += normal(count, deviation: 0.25, &generator)
    case .confounded: label += 0.5 * noise
    }
    return try AffineProblem(inputs: inputs, innerSlope: features, outcome: label)
  }

  public func nuisances(at inputs: Tensor) -> AffineNuisances {
    let slope =
      exponential(-0.5 * Self.treatmentVariance) * Self.features(2 * inputs.sum(alongAxis: 1))
    return AffineNuisances(
      intercept: .zeros([inputs.shape[0]]), slope: slope,
      outcome: product(slope, stationaryPoint))
  }

  private static func features(_ treatment: Tensor) -> Tensor {
    sin(treatment.expandingShape(at: 1) + shifts)
  }
}
