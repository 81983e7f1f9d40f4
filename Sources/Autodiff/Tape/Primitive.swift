/// An operation with derivative rules: the unit that tapes record.
///
/// Primitives are data, one struct per operation with its static parameters as properties. Rules
/// are written with ordinary tensor operations, so that they are differentiable themselves and
/// every transform nests with every other. An exact zero is nil throughout: it costs nothing and
/// cannot turn into a NaN.
///
/// With y = f(x), Jacobian J = ∂y/∂x:
/// - `jvp` gives ẏ = J ẋ;
/// - `vjp` gives x̄ = Jᵀ ȳ.
package protocol Primitive: Sendable {
  /// What evaluation and rules may throw: numerical failures.
  associatedtype Failure: Error = Never

  /// The public name of the operation, for messages.
  var name: String { get }

  /// The values that the rules read, which a tape keeps for them. Of other tensors the rules may
  /// use shape and scalar type only.
  var residuals: Residuals { get }

  /// The outputs, from inputs that the current level no longer traces.
  func evaluate(_ inputs: [Tensor]) throws(Failure) -> [Tensor]

  /// The outputs' tangents; at least one input tangent is not nil.
  func jvp(_ point: Point, _ tangents: [Tensor?]) throws(Failure) -> [Tensor?]

  /// The inputs' cotangents, for active inputs; at least one output cotangent is not nil.
  func vjp(_ point: Point, _ cotangents: [Tensor?]) throws(Failure) -> [Tensor?]
}

/// Where a primitive is differentiated: its inputs and outputs as the levels below see them.
package struct Point: Sendable {
  package let inputs: [Tensor]
  package let outputs: [Tensor]
  private let parents: Parents

  init(inputs: [Tensor], outputs: [Tensor], parents: Parents) {
    self.inputs = inputs
    self.outputs = outputs
    self.parents = parents
  }

  /// Whether the cotangent of an input is wanted; rules skip the work for the others.
  package func isActive(_ input: Int) -> Bool { parents[input] >= 0 }
}

/// Which values the rules of a primitive read.
package struct Residuals: OptionSet, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let inputs = Residuals(rawValue: 1)
  package static let outputs = Residuals(rawValue: 2)
}

// MARK: - Primitives of one input and one output

package protocol UnaryPrimitive: Primitive {
  func evaluate(_ x: Tensor) throws(Failure) -> Tensor
  func jvp(_ x: Tensor, _ y: Tensor, _ tangent: Tensor) throws(Failure) -> Tensor?
  func vjp(_ x: Tensor, _ y: Tensor, _ cotangent: Tensor) throws(Failure) -> Tensor?
}

extension UnaryPrimitive {
  package func evaluate(_ inputs: [Tensor]) throws(Failure) -> [Tensor] {
    [try evaluate(inputs[0])]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) throws(Failure) -> [Tensor?] {
    guard let tangent = tangents[0] else { return [nil] }
    return [try jvp(point.inputs[0], point.outputs[0], tangent)]
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) throws(Failure) -> [Tensor?] {
    guard let cotangent = cotangents[0] else { return [nil] }
    return [try vjp(point.inputs[0], point.outputs[0], cotangent)]
  }
}

// MARK: - Linear primitives

/// A linear map of one tensor: it is its own JVP, and its VJP is its transpose.
package protocol LinearPrimitive: UnaryPrimitive where Failure == Never {
  /// Jᵀ applied to `cotangent`; of `x` only shape and scalar type may be used.
  func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor
}

extension LinearPrimitive {
  package var residuals: Residuals { [] }
  package func jvp(_ x: Tensor, _ y: Tensor, _ tangent: Tensor) -> Tensor? {
    apply(self, tangent)
  }
  package func vjp(_ x: Tensor, _ y: Tensor, _ cotangent: Tensor) -> Tensor? {
    transposed(cotangent, x)
  }
}

extension Optional where Wrapped == Tensor {
  /// The sum, with nil for an exact zero.
  package func plus(_ other: Tensor?) -> Tensor? {
    guard let self, let other else { return self ?? other }
    return self + other
  }
}
