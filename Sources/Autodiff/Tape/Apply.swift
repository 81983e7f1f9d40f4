/// Applies a primitive to tensors: the one dispatcher.
///
/// Finds the highest open level among the inputs, peels it off, applies the primitive to the level
/// below by recursion, and records the result at that level: a reverse level appends to its tape, a
/// forward level computes the tangent. Without an open level the primitive is evaluated.
package func apply<P: Primitive>(
  _ primitive: P, _ inputs: [Tensor]
) throws(P.Failure) -> [Tensor] {
  guard let level = highestOpenLevel(of: inputs) else { return try primitive.evaluate(inputs) }
  let peeled = inputs.mapped { $0.peeled(of: level) }
  let outputs = try apply(primitive, peeled)
  requireNothingCaptured(outputs, primitive.name, level)
  if let tape = level.tape {
    return tape.record(primitive, inputs, peeled, outputs, level: level)
  }
  let tangents = inputs.map { $0.tangent(at: level) }
  let point = Point(inputs: peeled, outputs: outputs, parents: Parents(activeFor: tangents))
  let outputTangents = try primitive.jvp(point, tangents)
  return zip(outputs, outputTangents).map { output, tangent in
    guard let tangent, output.scalarType.isFloatingPoint else { return output }
    requireMatch(tangent, output, primitive.name, "tangent of its output")
    return output.traced(.tangent(tangent), at: level)
  }
}

/// Applies a primitive of one input and one output: the same steps without arrays of operands,
/// since half of all operations are of this kind.
///
/// None of them runs a user's closure, so nothing can be captured.
package func apply<P: UnaryPrimitive>(_ primitive: P, _ x: Tensor) throws(P.Failure) -> Tensor {
  guard let level = x.highestOpenLevel else { return try primitive.evaluate(x) }
  let peeled = x.peeled(of: level)
  let output = try apply(primitive, peeled)
  if let tape = level.tape { return tape.record(primitive, x, peeled, output, level: level) }
  guard let tangent = x.tangent(at: level),
    let outputTangent = try primitive.jvp(peeled, output, tangent)
  else { return output }
  requireMatch(outputTangent, output, primitive.name, "tangent of its output")
  return output.traced(.tangent(outputTangent), at: level)
}

/// Applies a primitive of two inputs and one output.
package func apply<P: Primitive>(
  _ primitive: P, _ x: Tensor, _ y: Tensor
) throws(P.Failure) -> Tensor {
  try apply(primitive, [x, y])[0]
}

private func highestOpenLevel(of inputs: [Tensor]) -> Level? {
  var highest: Level?
  for index in inputs.indices {
    guard let level = inputs[index].highestOpenLevel else { continue }
    if level.number > highest?.number ?? 0 { highest = level }
  }
  return highest
}

/// Refuses a derivative that would be wrong: a function with its own rule captured a tensor that is
/// being differentiated at the same level as its arguments, so its rule would miss that dependence.
private func requireNothingCaptured(_ outputs: [Tensor], _ name: String, _ level: Level) {
  for index in outputs.indices {
    guard let captured = outputs[index].highestOpenLevel, captured.number >= level.number else {
      continue
    }
    if case .refused(let reason)? = outputs[index].trace(at: captured)?.role { stop(name, reason) }
    stop(
      name,
      """
      the closure captures a tensor that is being differentiated together with its arguments, \
      so its derivative rule would miss that dependence. Pass the tensor as an argument
      """)
  }
}

/// Refuses what a rule returned with the wrong shape or scalar type.
func requireMatch(
  _ found: Tensor, _ expected: Tensor, _ name: @autoclosure () -> String,
  _ what: @autoclosure () -> String
) {
  guard found.shape == expected.shape, found.scalarType == expected.scalarType else {
    stop(
      name(),
      """
      its derivative rule returned the \(what()) as \(found.shape) \(found.scalarType); \
      expected \(expected.shape) \(expected.scalarType)
      """)
  }
}

extension Parents {
  init(activeFor tangents: [Tensor?]) {
    self.init(count: tangents.count)
    for (index, tangent) in tangents.enumerated() where tangent != nil { self[index] = 0 }
  }
}

extension Array where Element == Tensor {
  /// `map` without its closure context and capacity bookkeeping for one or two elements: most
  /// primitives have no more.
  @inline(__always)
  func mapped(_ transform: (Tensor) -> Tensor) -> [Tensor] {
    switch count {
    case 1: [transform(self[0])]
    case 2: [transform(self[0]), transform(self[1])]
    default: map(transform)
    }
  }
}
