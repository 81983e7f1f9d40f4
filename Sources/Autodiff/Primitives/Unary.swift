import CTensorKernels

/// y = f(x) element by element: the family, with its table of derivatives.
package struct ElementwiseUnary: UnaryPrimitive {
  package enum Function: String, CaseIterable, Sendable {
    case negate, absoluteValue, sign, reciprocal, square, squareRoot, reciprocalSquareRoot
    case exp, expMinusOne, log, logOnePlus, sin, cos
    case tanh, sigmoid, softplus, relu, gelu, erf, erfc, normalCDF
    case floor, ceil, round
  }

  let function: Function

  package init(_ function: Function) { self.function = function }

  package var name: String { function.rawValue }

  package var residuals: Residuals {
    switch function {
    case .negate, .sign, .floor, .ceil, .round: []
    case .reciprocal, .squareRoot, .exp, .tanh: .outputs
    case .reciprocalSquareRoot: [.inputs, .outputs]
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
  /// At the kinks of |x| and relu the derivative is taken as 0.
  private func timesDerivative(_ d: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? {
    switch function {
    case .negate: -d
    case .absoluteValue: d * sign(x)
    case .sign, .floor, .ceil, .round: nil
    case .reciprocal: -(d * square(y))
    case .square: d * (2 * x)
    case .squareRoot: d * 0.5 / y
    case .reciprocalSquareRoot: d * (-0.5 * y / x)
    case .exp: d * y
    // Not y + 1 and not y (1 − y), which cancel in the tails.
    case .expMinusOne: d * Autodiff.exp(x)
    case .log: d / x
    case .logOnePlus: d / (x + 1)
    case .sin: d * cos(x)
    case .cos: -(d * sin(x))
    case .tanh: d * (1 - square(y))
    case .sigmoid: d * (Autodiff.sigmoid(x) * Autodiff.sigmoid(-x))
    case .softplus: d * sigmoid(x)
    case .relu: d.zeroed(where: x .<= 0)
    case .gelu: d * (normalCDF(x) + x * normalDensity(x))
    case .erf: d * (2 / Double.pi.squareRoot() * Autodiff.exp(-square(x)))
    case .erfc: d * (-2 / Double.pi.squareRoot() * Autodiff.exp(-square(x)))
    case .normalCDF: d * normalDensity(x)
    }
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
    case .erf: TK_ERF
    case .erfc: TK_ERFC
    case .normalCDF: TK_NORMAL_CDF
    case .floor: TK_FLOOR
    case .ceil: TK_CEIL
    case .round: TK_ROUND
    }
  }
}

/// φ(x) = exp(−x²/2) / √(2π).
func normalDensity(_ x: Tensor) -> Tensor {
  exp(-0.5 * square(x)) * (1 / (2 * Double.pi).squareRoot())
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
  public static prefix func - (x: Tensor) -> Tensor {
    if x.scalarType == .bool { stop("-", "not defined for bool; .! negates a mask") }
    return x.tracing == nil ? Kernels.unary(TK_NEGATE, x) : apply(ElementwiseUnary(.negate), x)
  }
}
