import CTensorKernels

/// y = f(x) element by element: the family, with its table of derivatives.
package struct ElementwiseUnary: UnaryPrimitive {
  package enum Function: String, CaseIterable, Sendable {
    case negate, absoluteValue, sign, reciprocal, square, squareRoot, reciprocalSquareRoot
    case exp, expMinusOne, log, logOnePlus, sin, cos
    case tanh, sigmoid, softplus, relu, gelu, silu, erf, erfc, normalCDF
    // Derivatives of others, which these are accurate for where 1 − y² and the like cancel.
    case sechSquared, gaussian, normalDensity
    case floor, ceil, round
  }

  let function: Function

  package init(_ function: Function) { self.function = function }

  package var name: String { function.rawValue }

  package var residuals: Residuals {
    switch function {
    case .negate, .sign, .floor, .ceil, .round: []
    case .reciprocal, .squareRoot, .exp: .outputs
    case .reciprocalSquareRoot, .sechSquared, .gaussian, .normalDensity: [.inputs, .outputs]
    default: .inputs
    }
  }

  package func evaluate(_ x: Tensor) -> Tensor { Kernels.unary(function.kernel, x) }

  // The Jacobian is diagonal, hence its own transpose.
  package func jvp(_ x: Tensor, _ y: Tensor, _ tangent: Tensor) -> Tensor? {
    timesDerivative(tangent, x, y)
  }
  package func vjp(_ x: Tensor, _ y: Tensor, _ cotangent: Tensor) -> Tensor? {
    timesDerivative(cotangent, x, y)
  }

  /// d · f′(x), with y = f(x).
  ///
  /// At the kinks of |x| and relu the derivative is taken as 0. No rule subtracts from 1 what may
  /// have been rounded to 1: see `sechSquared`.
  private func timesDerivative(_ d: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? {
    switch function {
    case .negate: -d
    case .absoluteValue: d * sign(x)
    case .sign, .floor, .ceil, .round: nil
    case .reciprocal: -(d * y * y)
    case .square: 2 * (d * x)
    case .squareRoot: d * 0.5 / y
    case .reciprocalSquareRoot: d * (-0.5 * y / x)
    case .exp: d * y
    // Not y + 1 and not y (1 − y), which cancel in the tails.
    case .expMinusOne: d * Autodiff.exp(x)
    case .log: d / x
    case .logOnePlus: d / (x + 1)
    case .sin: d * cos(x)
    case .cos: -(d * sin(x))
    case .tanh: d * applied(.sechSquared, x)
    case .sechSquared: d * (-2 * (Autodiff.tanh(x) * y))
    case .sigmoid: d * logisticDensity(x)
    case .softplus: d * Autodiff.sigmoid(x)
    case .relu: d.zeroed(where: x .<= 0)
    case .gelu: d * (Autodiff.normalCDF(x) + times(x, density: applied(.normalDensity, x)))
    case .silu: d * (Autodiff.sigmoid(x) + times(x, density: logisticDensity(x)))
    case .erf: d * (2 / Double.pi.squareRoot() * applied(.gaussian, x))
    case .erfc: d * (-2 / Double.pi.squareRoot() * applied(.gaussian, x))
    case .normalCDF: d * applied(.normalDensity, x)
    case .gaussian: d * (-2 * times(x, density: y))
    case .normalDensity: -(d * times(x, density: y))
    }
  }

  /// σ′(x) = σ(x) σ(−x) = 1 / (4 cosh²(x/2)).
  private func logisticDensity(_ x: Tensor) -> Tensor {
    0.25 * applied(.sechSquared, 0.5 * x)
  }

  /// x p(x) for a density that falls faster than any power of x: 0 wherever p has vanished, where
  /// an infinite x, or its square in the next rule, would give ∞ · 0.
  private func times(_ x: Tensor, density: Tensor) -> Tensor {
    x.zeroed(where: density .== 0) * density
  }
}

extension ElementwiseUnary.Function {
  fileprivate var kernel: tk_unary_op {
    switch self {
    case .negate: TK_NEGATE
    case .absoluteValue: TK_ABS
    case .sign: TK_SIGN
    case .reciprocal: TK_RECIPROCAL
    case .square: TK_SQUARE
    case .squareRoot: TK_SQRT
    case .reciprocalSquareRoot: TK_RSQRT
    case .exp: TK_EXP
    case .expMinusOne: TK_EXPM1
    case .log: TK_LOG
    case .logOnePlus: TK_LOG1P
    case .sin: TK_SIN
    case .cos: TK_COS
    case .tanh: TK_TANH
    case .sigmoid: TK_SIGMOID
    case .softplus: TK_SOFTPLUS
    case .relu: TK_RELU
    case .gelu: TK_GELU
    case .silu: TK_SILU
    case .erf: TK_ERF
    case .erfc: TK_ERFC
    case .normalCDF: TK_NORMAL_CDF
    case .sechSquared: TK_SECH_SQUARED
    case .gaussian: TK_GAUSSIAN
    case .normalDensity: TK_NORMAL_DENSITY
    case .floor: TK_FLOOR
    case .ceil: TK_CEIL
    case .round: TK_ROUND
    }
  }
}

private func applied(_ function: ElementwiseUnary.Function, _ x: Tensor) -> Tensor {
  Kernels.requireFloat(x, function.rawValue)
  if x.tracing == nil { return Kernels.unary(function.kernel, x) }
  return apply(ElementwiseUnary(function), x)
}

// MARK: - Public functions

/// |x|.
///
/// The derivative at 0 is taken as 0, at every order: of x², write `square(x)`, not the square of
/// this.
public func abs(_ x: Tensor) -> Tensor { applied(.absoluteValue, x) }
/// −1, 0 or 1; derivative 0.
public func sign(_ x: Tensor) -> Tensor { applied(.sign, x) }
/// 1 / x.
public func reciprocal(_ x: Tensor) -> Tensor { applied(.reciprocal, x) }
/// x².
public func square(_ x: Tensor) -> Tensor { applied(.square, x) }
/// √x; NaN below 0, infinite derivative at 0.
public func sqrt(_ x: Tensor) -> Tensor { applied(.squareRoot, x) }
/// 1 / √x.
public func rsqrt(_ x: Tensor) -> Tensor { applied(.reciprocalSquareRoot, x) }
/// eˣ.
public func exp(_ x: Tensor) -> Tensor { applied(.exp, x) }
/// eˣ − 1, accurate near 0.
public func expMinusOne(_ x: Tensor) -> Tensor { applied(.expMinusOne, x) }
/// The natural logarithm.
public func log(_ x: Tensor) -> Tensor { applied(.log, x) }
/// ln(1 + x), accurate near 0.
public func log(onePlus x: Tensor) -> Tensor { applied(.logOnePlus, x) }
/// The sine of an angle in radians.
public func sin(_ x: Tensor) -> Tensor { applied(.sin, x) }
/// The cosine of an angle in radians.
public func cos(_ x: Tensor) -> Tensor { applied(.cos, x) }
/// The hyperbolic tangent.
public func tanh(_ x: Tensor) -> Tensor { applied(.tanh, x) }
/// 1 / (1 + e⁻ˣ).
public func sigmoid(_ x: Tensor) -> Tensor { applied(.sigmoid, x) }
/// ln(1 + eˣ), without overflow.
public func softplus(_ x: Tensor) -> Tensor { applied(.softplus, x) }
/// max(x, 0); derivative 0 at 0.
public func relu(_ x: Tensor) -> Tensor { applied(.relu, x) }
/// x Φ(x), the exact Gaussian error linear unit.
public func gelu(_ x: Tensor) -> Tensor { applied(.gelu, x) }
/// x σ(x) = x / (1 + e⁻ˣ), the sigmoid linear unit.
public func silu(_ x: Tensor) -> Tensor { applied(.silu, x) }
/// The error function.
public func erf(_ x: Tensor) -> Tensor { applied(.erf, x) }
/// 1 − erf(x), accurate in the upper tail.
public func erfc(_ x: Tensor) -> Tensor { applied(.erfc, x) }
/// Φ(x), the standard normal distribution function, accurate in the lower tail.
public func normalCDF(_ x: Tensor) -> Tensor { applied(.normalCDF, x) }
/// The largest integer at most x; derivative 0.
public func floor(_ x: Tensor) -> Tensor { applied(.floor, x) }
/// The smallest integer at least x; derivative 0.
public func ceil(_ x: Tensor) -> Tensor { applied(.ceil, x) }
/// The nearest integer, ties to even; derivative 0.
public func round(_ x: Tensor) -> Tensor { applied(.round, x) }

extension Tensor {
  /// −x, for floating-point and `int32` tensors.
  ///
  /// - Precondition: −x fits `int32`.
  public static prefix func - (x: Tensor) -> Tensor {
    if x.scalarType == .bool { stop("-", "not defined for bool; .! negates a mask") }
    if x.scalarType == .int32 { return Tensor(0, .int32) - x }
    return x.tracing == nil ? Kernels.unary(TK_NEGATE, x) : apply(ElementwiseUnary(.negate), x)
  }
}
