import CTensorKernels

/// a ∘ b element by element, with NumPy broadcasting.
package struct ElementwiseBinary: Primitive {
  package enum Function: String, CaseIterable, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case pow, maximum, minimum
  }

  let function: Function

  package init(_ function: Function) { self.function = function }

  package var name: String { function.rawValue }

  package var residuals: Residuals {
    switch function {
    case .add, .subtract: []
    case .multiply, .maximum, .minimum: .inputs
    case .divide, .pow: [.inputs, .outputs]
    }
  }

  package func evaluate(_ inputs: [Tensor]) -> [Tensor] {
    [Kernels.binary(function.kernel, inputs[0], inputs[1], name)]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) -> [Tensor?] {
    let left = tangents[0].map { timesLeftDerivative($0, point) }
    let right = tangents[1].map { timesRightDerivative($0, point) }
    let shape = point.outputs[0].shape
    return switch (left, right) {
    case (let left?, let right?): [left + right]
    case (let one?, nil), (nil, let one?): [one.broadcast(to: shape)]
    case (nil, nil): [nil]
    }
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) -> [Tensor?] {
    guard let cotangent = cotangents[0] else { return [nil, nil] }
    let (a, b) = (point.inputs[0], point.inputs[1])
    return [
      point.isActive(0) ? timesLeftDerivative(cotangent, point).summed(to: a.shape) : nil,
      point.isActive(1) ? timesRightDerivative(cotangent, point).summed(to: b.shape) : nil,
    ]
  }

  /// d · ∂y/∂a.
  ///
  /// Where a and b tie, maximum and minimum share the derivative equally.
  private func timesLeftDerivative(_ d: Tensor, _ point: Point) -> Tensor {
    let (a, b) = (point.inputs[0], point.inputs[1])
    return switch function {
    case .add, .subtract: d
    case .multiply: d * b
    case .divide: d / b
    // b a^(b−1), which at a = b = 0 is 0 and not 0 · ∞.
    case .pow:
      d * b * Autodiff.pow(select((a .== 0) .& (b .== 0), Tensor.ones(like: a), a), b - 1)
    case .maximum: shared(d, where: a .> b, tied: a .== b)
    case .minimum: shared(d, where: a .< b, tied: a .== b)
    }
  }

  /// d · ∂y/∂b.
  private func timesRightDerivative(_ d: Tensor, _ point: Point) -> Tensor {
    let (a, b, y) = (point.inputs[0], point.inputs[1], point.outputs[0])
    return switch function {
    case .add: d
    case .subtract: -d
    case .multiply: d * a
    case .divide: -(d * y / b)
    // aᵇ ln a, whose limit is 0 wherever aᵇ vanishes. Where it does not, a = 0 and a = ∞ give the
    // infinite slopes that are there, but for 0⁰, where the derivative is taken as 0.
    case .pow:
      d * y * log(select((y .== 0) .| (a .== 0) .& (b .== 0), Tensor.ones(like: a), a))
    case .maximum: shared(d, where: a .< b, tied: a .== b)
    case .minimum: shared(d, where: a .> b, tied: a .== b)
    }
  }

  /// d where an operand is the result, half of it at ties, and 0 elsewhere even if d is infinite.
  private func shared(_ d: Tensor, where isResult: Tensor, tied isTied: Tensor) -> Tensor {
    select(isTied, 0.5 * d, d.zeroed(where: .!isResult))
  }
}

extension ElementwiseBinary.Function {
  fileprivate var kernel: tk_binary_op {
    switch self {
    case .add: TK_ADD
    case .subtract: TK_SUBTRACT
    case .multiply: TK_MULTIPLY
    case .divide: TK_DIVIDE
    case .pow: TK_POW
    case .maximum: TK_MAXIMUM
    case .minimum: TK_MINIMUM
    }
  }
}

/// xᵖ with a constant exponent, so that p = 0 and whole p are exact at x = 0 to every order.
package struct ConstantPower: UnaryPrimitive {
  let exponent: Double

  package init(exponent: Double) { self.exponent = exponent }

  package var name: String { "pow" }
  package var residuals: Residuals { .inputs }

  package func evaluate(_ x: Tensor) -> Tensor {
    Kernels.binary(TK_POW, x, Tensor(exponent, like: x), name)
  }
  package func jvp(_ x: Tensor, _ y: Tensor, _ tangent: Tensor) -> Tensor? {
    timesDerivative(tangent, x)
  }
  package func vjp(_ x: Tensor, _ y: Tensor, _ cotangent: Tensor) -> Tensor? {
    timesDerivative(cotangent, x)
  }

  private func timesDerivative(_ d: Tensor, _ x: Tensor) -> Tensor? {
    exponent == 0 ? nil : exponent == 1 ? d : d * (exponent * Autodiff.pow(x, exponent - 1))
  }
}

private func applied(_ function: ElementwiseBinary.Function, _ a: Tensor, _ b: Tensor) -> Tensor {
  if a.scalarType == .bool || a.scalarType == .int32 && [.divide, .pow].contains(function) {
    stop(function.rawValue, "not defined for \(a.scalarType); cast(to:) a floating-point type")
  }
  if a.scalarType != b.scalarType {
    let (a, b) = Tensor.unified(a, b, function.rawValue)
    return applied(function, a, b)
  }
  // Constants need no dispatcher; rules run mostly on constants.
  if a.tracing == nil, b.tracing == nil {
    return Kernels.binary(function.kernel, a, b, function.rawValue)
  }
  return apply(ElementwiseBinary(function), a, b)
}

// MARK: - Public operators and functions

/// aᵇ.
///
/// Defined as C's `pow`. At a = 0 the derivative in b is 0 for b > 0, taken as 0 for b = 0, and −∞
/// for b < 0; second derivatives there follow that convention and do not exist in general.
public func pow(_ a: Tensor, _ b: Tensor) -> Tensor { applied(.pow, a, b) }
/// aᵇ with a constant exponent; exact derivatives at a = 0 for non-negative integer b.
public func pow(_ a: Tensor, _ b: Double) -> Tensor {
  Kernels.requireFloat(a, "pow")
  return apply(ConstantPower(exponent: b), a)
}
/// The larger of each pair, NaN if either is; ties share the derivative equally.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { applied(.maximum, a, b) }
/// The larger of each element and a constant.
public func maximum(_ a: Tensor, _ b: Double) -> Tensor { maximum(a, Tensor(b, like: a)) }
/// The smaller of each pair, NaN if either is; ties share the derivative equally.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { applied(.minimum, a, b) }
/// The smaller of each element and a constant.
public func minimum(_ a: Tensor, _ b: Double) -> Tensor { minimum(a, Tensor(b, like: a)) }

/// x ln y, and 0 where x = 0 even if y is 0 or ∞: entropies are −Σ xlogy(p, p), relative ones
/// Σ (xlogy(p, p) − xlogy(p, q)).
///
/// The derivatives are ln y and x / y. Where x = 0 and ln y does not exist or is infinite they are
/// taken as 0, at every order, so that an event of probability 0 contributes nothing: the slope of
/// p ln p at p = 0 is infinite, and would turn the zero that it is multiplied by into NaN.
public func xlogy(_ x: Tensor, _ y: Tensor) -> Tensor {
  Kernels.requireFloat(x, "xlogy")
  Kernels.requireSameType(x, y, "xlogy")
  let isNothing = (x .== 0) .& ((y .<= 0) .| (y .== .infinity))
  return x * log(select(isNothing, Tensor(1, like: y), y))
}

// `int32` results that do not fit stop the program: a wrapped index or count is a wrong one.
extension Tensor {
  /// A scalar of the type of another tensor.
  ///
  /// - Precondition: The type can represent the value: an `int32` tensor takes no fractions.
  public init(_ value: Double, like other: Tensor) {
    let isExact =
      switch other.scalarType {
      case .float32, .float64: true
      case .int32: Int32(exactly: value) != nil
      case .bool: value == 0 || value == 1
      }
    guard isExact else {
      stop(
        "Tensor",
        "the scalar \(value) is not a value of \(other.scalarType); cast(to:) the tensor first")
    }
    self.init(value, other.scalarType)
  }

  /// Elementwise sum.
  public static func + (a: Tensor, b: Tensor) -> Tensor { applied(.add, a, b) }
  /// Elementwise difference.
  public static func - (a: Tensor, b: Tensor) -> Tensor { applied(.subtract, a, b) }
  /// Elementwise product.
  public static func * (a: Tensor, b: Tensor) -> Tensor { applied(.multiply, a, b) }
  /// Elementwise quotient.
  public static func / (a: Tensor, b: Tensor) -> Tensor { applied(.divide, a, b) }

  /// Elementwise sum with a scalar of the tensor's type.
  public static func + (a: Tensor, b: Double) -> Tensor { a + Tensor(b, like: a) }
  /// Elementwise sum with a scalar of the tensor's type.
  public static func + (a: Double, b: Tensor) -> Tensor { Tensor(a, like: b) + b }
  /// Elementwise difference with a scalar of the tensor's type.
  public static func - (a: Tensor, b: Double) -> Tensor { a - Tensor(b, like: a) }
  /// Elementwise difference with a scalar of the tensor's type.
  public static func - (a: Double, b: Tensor) -> Tensor { Tensor(a, like: b) - b }
  /// Elementwise product with a scalar of the tensor's type.
  public static func * (a: Tensor, b: Double) -> Tensor { a * Tensor(b, like: a) }
  /// Elementwise product with a scalar of the tensor's type.
  public static func * (a: Double, b: Tensor) -> Tensor { Tensor(a, like: b) * b }
  /// Elementwise quotient with a scalar of the tensor's type.
  public static func / (a: Tensor, b: Double) -> Tensor { a / Tensor(b, like: a) }
  /// Elementwise quotient with a scalar of the tensor's type.
  public static func / (a: Double, b: Tensor) -> Tensor { Tensor(a, like: b) / b }

  /// Adds in place.
  public static func += (a: inout Tensor, b: Tensor) { a = a + b }
  /// Subtracts in place.
  public static func -= (a: inout Tensor, b: Tensor) { a = a - b }
  /// Multiplies in place.
  public static func *= (a: inout Tensor, b: Tensor) { a = a * b }
  /// Divides in place.
  public static func /= (a: inout Tensor, b: Tensor) { a = a / b }
  /// Multiplies by a scalar in place.
  public static func *= (a: inout Tensor, b: Double) { a = a * b }
}
