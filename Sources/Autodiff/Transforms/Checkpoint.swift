/// The value of a function whose intermediate results are computed again for the derivative,
/// instead of being kept on the tape.
///
///     let h = checkpointed(at: x, block) { x, block in block(x) }
///
/// Memory: the arguments only. Time: one more evaluation of `f` per derivative. Derivatives are
/// those of `f`, at every order and in both modes.
///
/// - Parameters:
///   - point: Any number of trees.
///   - f: A deterministic function: one that draws random numbers must make its generator inside,
///     or the derivative belongs to other numbers than the value. It may capture constants and
///     tensors of enclosing transforms, but no tensor that is differentiated together with the
///     arguments: that is refused, pass it as an argument.
public func checkpointed<each T: TensorTree, Output: TensorTree, E: Error>(
  at point: repeat each T, of f: @escaping (repeat each T) throws(E) -> Output
) throws(E) -> Output {
  typealias Arguments = TreePack<repeat each T>
  let evaluate = { (arguments: Arguments) throws(E) -> Output in
    try f(repeat each arguments.elements)
  }
  let arguments = TreePack(repeat each point)
  return try CustomPrimitive<Arguments, Output, E>(
    name: "checkpointed", residuals: .inputs, input: arguments, evaluate: evaluate,
    jvp: { x, _, tangent throws(E) in try jvp(at: x, along: tangent, of: evaluate).tangent },
    vjp: { x, _, cotangent throws(E) in
      try Linearization(at: x, of: evaluate)
        .drainingPullback(cotangent, throwing: E.self).cotangent
    })(arguments)
}
