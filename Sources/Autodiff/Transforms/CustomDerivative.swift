/// A function with a derivative rule of its own.
///
///     // log(1 + eˣ), neither of whose sides overflows.
///     let logistic = CustomDerivative(
///       name: "logistic",
///       evaluate: { x in relu(x) + log(onePlus: exp(-abs(x))) },
///       jvp: { x, y, ẋ in ẋ / (1 + exp(-x)) })
///     let y = logistic(x)
///
/// One rule serves both modes: the missing one is its transpose, which the library takes by
/// differentiating the rule itself, a linear map. Write rules with tensor operations; then the
/// function has derivatives of every order in every mixture of modes. The function is not traced
/// and may use any code.
///
/// A value that may be a global constant and be used by any task, so its closures are `@Sendable`:
/// they capture tensors and models, but no variable. To capture the value of one, name it in the
/// capture list: `{ [scale] x in … }`.
public struct CustomDerivative<Input: TensorTree, Output: TensorTree, E: Error>: Sendable {
  /// y = f(x).
  public typealias Function = @Sendable (_ x: Input) throws(E) -> Output
  /// ẏ = J ẋ, from x, y = f(x) and ẋ.
  public typealias JVP = @Sendable (_ x: Input, _ y: Output, _ tangent: Input) throws(E) -> Output
  /// x̄ = Jᵀ ȳ, from x, y = f(x) and ȳ.
  public typealias VJP = @Sendable (_ x: Input, _ y: Output, _ cotangent: Output) throws(E) -> Input

  // `@preconcurrency`: what a closure must not capture is a warning, since a function that stays on
  // one thread is right all the same.

  private let name: String
  private let evaluate: Function
  private let jvpRule: JVP
  private let vjpRule: VJP

  /// A function with both rules, which must be transposes of each other.
  @preconcurrency
  public init(
    name: String, evaluate: @escaping Function, jvp: @escaping JVP, vjp: @escaping VJP
  ) {
    self.name = name
    self.evaluate = evaluate
    jvpRule = jvp
    vjpRule = vjp
  }

  /// A function with a forward rule, linear in the tangent; the reverse rule is its transpose.
  @preconcurrency
  public init(name: String, evaluate: @escaping Function, jvp: @escaping JVP) {
    self.init(name: name, evaluate: evaluate, jvp: jvp) { x, y, cotangent throws(E) in
      let zero = x.mapTensors { Tensor.zeros(like: $0) }
      let rule = try Linearization(at: zero) { tangent throws(E) in try jvp(x, y, tangent) }
      requireLinear(rule.value, y, name, "tangent returned by its JVP rule")
      return try rule.pullback(cotangent, throwing: E.self)
    }
  }

  /// A function with a reverse rule, linear in the cotangent; the forward rule is its transpose.
  @preconcurrency
  public init(name: String, evaluate: @escaping Function, vjp: @escaping VJP) {
    self.init(
      name: name, evaluate: evaluate,
      jvp: { x, y, tangent throws(E) in
        let zero = y.mapTensors { Tensor.zeros(like: $0) }
        let rule = try Linearization(at: zero) { cotangent throws(E) in try vjp(x, y, cotangent) }
        requireLinear(rule.value, x, name, "cotangent returned by its VJP rule")
        return try rule.pullback(tangent, throwing: E.self)
      }, vjp: vjp)
  }

  /// Applies the function.
  ///
  /// - Throws: What the function throws; while differentiating, what the rules throw.
  /// - Precondition: The function captures no tensor that is differentiated together with `input`:
  ///   the rules would miss that dependence, so it is refused. Pass it as part of the input.
  public func callAsFunction(_ input: Input) throws(E) -> Output {
    try CustomPrimitive(
      name: name, residuals: [.inputs, .outputs], input: input, evaluate: evaluate,
      jvp: jvpRule, vjp: vjpRule
    )(input)
  }
}

/// Refuses a rule that cannot be transposed: one with results of another shape, or one that does not
/// give zero for zero, such as a rule that adds a constant.
private func requireLinear<T: TensorTree>(
  _ atZero: T, _ reference: T, _ name: String, _ role: String
) {
  for tensor in matching(atZero, reference, name, role) {
    // A NaN comes from the point, not from the rule's form.
    guard (stopGradient(tensor) .!= 0).anyTrue, tensor.isFinite else { continue }
    stop(
      name,
      """
      the \(role) for zero is not zero, so the rule is not linear and has no transpose. Give both \
      rules, or make it linear
      """)
  }
}

/// A function of trees as a primitive.
package struct CustomPrimitive<Input: TensorTree, Output: TensorTree, E: Error>: Primitive,
  @unchecked Sendable
{
  // Safety of @unchecked Sendable: a tape runs rules on the thread of its transform only, and the
  // output's structure is written by the first evaluation, before anything else can read it.

  /// The structure of the output, known after the first evaluation.
  final class OutputStructure {
    var tree: Output?
  }

  package let name: String
  package let residuals: Residuals
  let input: Input
  let output = OutputStructure()
  let evaluate: (Input) throws(E) -> Output
  let jvpRule: (Input, Output, Input) throws(E) -> Output
  let vjpRule: (Input, Output, Output) throws(E) -> Input

  /// A function at a point, of which the structure is kept.
  init(
    name: String, residuals: Residuals, input: Input,
    evaluate: @escaping (Input) throws(E) -> Output,
    jvp: @escaping (Input, Output, Input) throws(E) -> Output,
    vjp: @escaping (Input, Output, Output) throws(E) -> Input
  ) {
    self.name = name
    self.residuals = residuals
    self.input = input.mapTensors { $0.abstract }
    self.evaluate = evaluate
    jvpRule = jvp
    vjpRule = vjp
  }

  /// Applies the function to a tree of the structure it was made for.
  func callAsFunction(_ input: Input) throws(E) -> Output {
    let outputs = try apply(self, input.tensors)
    guard var result = output.tree else { stop(name, "was not evaluated") }
    result.tensors = outputs
    return result
  }

  package func evaluate(_ inputs: [Tensor]) throws(E) -> [Tensor] {
    let tree = try evaluate(rebuilt(inputs))
    output.tree = tree.mapTensors { $0.abstract }
    return tree.tensors
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) throws(E) -> [Tensor?] {
    let y = rebuiltOutput(point.outputs)
    let tangent = try jvpRule(
      rebuilt(point.inputs), y, rebuilt(filled(tangents, point.inputs)))
    return matching(tangent, y, name, "tangent returned by its JVP rule")
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) throws(E) -> [Tensor?] {
    let x = rebuilt(point.inputs)
    let cotangent = try vjpRule(
      x, rebuiltOutput(point.outputs), rebuiltOutput(filled(cotangents, point.outputs)))
    return matching(cotangent, x, name, "cotangent returned by its VJP rule")
  }

  private func filled(_ parts: [Tensor?], _ shapes: [Tensor]) -> [Tensor] {
    zip(parts, shapes).map { $0 ?? Tensor.zeros(like: $1) }
  }

  private func rebuilt(_ tensors: [Tensor]) -> Input {
    var tree = input
    tree.tensors = tensors
    return tree
  }

  private func rebuiltOutput(_ tensors: [Tensor]) -> Output {
    guard var tree = output.tree else { stop(name, "its rule ran before it was evaluated") }
    tree.tensors = tensors
    return tree
  }
}
