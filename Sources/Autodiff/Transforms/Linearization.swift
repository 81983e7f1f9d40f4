/// A function traced once at a point: its value and its Jacobian as a program in both directions.
///
/// The one place where reverse levels open and close; `gradient`, `vjp` and `linearize` stand on it.
struct Linearization<Input: TensorTree, Output: TensorTree> {
  let value: Output
  private let point: Input
  fileprivate let recording: Recording
  private let outputs: [Tensor]
  private let outputSlots: [Int32?]

  /// Runs `f` with every floating-point tensor of `point` traced at a new level.
  init<E>(at point: Input, of f: (Input) throws(E) -> Output) throws(E) {
    let tape = Tape()
    let level = Level(tape: tape)
    var traced = point
    traced.tensors = point.tensors.map { tensor in
      let slot = tape.addInput()
      return tensor.scalarType.isFloatingPoint ? tensor.traced(.slot(slot), at: level) : tensor
    }
    var result: Output
    do throws(E) {
      result = try f(traced)
    } catch {
      level.close()
      // A tensor that escaped must not keep the tape alive.
      _ = tape.finish()
      throw error
    }
    let leaves = result.tensors
    outputSlots = leaves.map { $0.slot(at: level) }
    outputs = leaves.map { $0.peeled(of: level) }
    level.close()
    result.tensors = outputs
    value = result
    recording = tape.finish()
    self.point = point
  }

  /// Jᵀ applied to a cotangent of the output.
  func pullback<E>(_ cotangent: Output, throwing: E.Type) throws(E) -> Input {
    let seeds = seeds(cotangent)
    return filled(try typed(E.self) { try recording.pullback(seeds) })
  }

  /// Jᵀ applied for the only time, freeing the tape on the way; and the paths of the floating-point
  /// tensors that the output does not depend on.
  func drainingPullback<E>(
    _ cotangent: Output, throwing: E.Type
  ) throws(E) -> (cotangent: Input, independent: [String]) {
    let seeds = seeds(cotangent)
    let cotangents = try typed(E.self) { try recording.drainingPullback(seeds) }
    guard cotangents.contains(where: { $0 == nil }) else { return (filled(cotangents), []) }
    let (paths, tensors) = (point.tensorPaths, point.tensors)
    let independent = cotangents.indices.filter {
      cotangents[$0] == nil && tensors[$0].scalarType.isFloatingPoint
    }
    return (filled(cotangents), independent.map { paths[$0] })
  }

  /// J applied to a tangent of the point.
  func pushforward<E>(_ tangent: Input, throwing: E.Type) throws(E) -> Output {
    let tangents = matching(tangent, point, "linearize", "tangent")
    let images = try typed(E.self) { try recording.pushforward(tangents, outputs: outputSlots) }
    var result = value
    result.tensors = zip(images, outputs).map { $0 ?? Tensor.zeros(like: $1) }
    return result
  }

  /// The row of the Jacobian that a cotangent of one output tensor gives, by input tensor; nil is an
  /// exact zero.
  func row<E>(
    output: Int, cotangent: Tensor, throwing: E.Type
  ) throws(E) -> [Tensor?] {
    guard let slot = outputSlots[output] else { return point.tensors.map { _ in nil } }
    return try typed(E.self) { try recording.pullback([(slot, cotangent)]) }
  }

  /// The column of the Jacobian that a tangent of one input tensor gives, by output tensor; nil is an
  /// exact zero.
  func column<E>(input: Int, tangent: Tensor, throwing: E.Type) throws(E) -> [Tensor?] {
    var tangents = [Tensor?](repeating: nil, count: recording.inputCount)
    tangents[input] = tangent
    let seeds = tangents
    return try typed(E.self) { try recording.pushforward(seeds, outputs: outputSlots) }
  }

  private func seeds(_ cotangent: Output) -> [(slot: Int32, cotangent: Tensor)] {
    zip(outputSlots, matching(cotangent, value, "vjp", "cotangent"))
      .compactMap { slot, cotangent in slot.map { ($0, cotangent) } }
  }

  private func filled(_ cotangents: [Tensor?]) -> Input {
    var result = point
    result.tensors = zip(cotangents, point.tensors).map { $0 ?? Tensor.zeros(like: $1) }
    return result
  }
}

/// The tensors of `tree`, checked to correspond one by one to those of `reference`.
func matching<T: TensorTree>(
  _ tree: T, _ reference: T, _ operation: String, _ role: String
) -> [Tensor] {
  matched(tree, reference, operation, role).tensors
}

/// The tensors of `tree`, checked to correspond one by one to those of `reference`, and those.
func matched<T: TensorTree>(
  _ tree: T, _ reference: T, _ operation: String, _ role: String
) -> (tensors: [Tensor], expected: [Tensor]) {
  let (tensors, expected) = (tree.tensors, reference.tensors)
  guard tensors.count == expected.count else {
    stop(operation, "the \(role) has \(tensors.count) tensors, expected \(expected.count)")
  }
  // A single tensor can only correspond to the other one.
  if tensors.count > 1, !tree.hasSamePaths(as: reference) {
    let (found, wanted) = (tree.tensorPaths, reference.tensorPaths)
    for (found, wanted) in zip(found, wanted) where found != wanted {
      stop(operation, "the \(role) has a tensor \(found) where \(wanted) is expected")
    }
  }
  for index in tensors.indices {
    let (found, wanted) = (tensors[index], expected[index])
    guard found.shape == wanted.shape, found.scalarType == wanted.scalarType else {
      let path = reference.tensorPaths[index]
      stop(
        operation,
        """
        the \(role)\(path.isEmpty ? "" : " of \(path)") is \(found.shape) \(found.scalarType), \
        expected \(wanted.shape) \(wanted.scalarType)
        """)
    }
  }
  return (tensors, expected)
}

/// Runs a derivative computation whose rules may throw, as a function that throws `E`.
///
/// A rule can only fail in an operation that can fail, and a closure calls such an operation with
/// `try`: its error type is then the operation's, or one that the error converts to. A closure
/// that catches the operation's errors itself leaves a failing rule without a way to report.
func typed<E: Error, R>(_ failure: E.Type, _ body: () throws -> R) throws(E) -> R {
  do {
    return try body()
  } catch let error as E {
    throw error
  } catch {
    stop(
      "derivative",
      """
      a derivative rule failed: \(error). The differentiated closure does not throw this error, so \
      the transform cannot either; let the closure throw it instead of catching it inside
      """)
  }
}

/// The operations that a function records on the tape, in order: the type of the primitive and its
/// name.
///
/// Serves tests that prove which primitives they exercise.
package func recordedOperations<Input: TensorTree, Output: TensorTree, E: Error>(
  at point: Input, of f: (Input) throws(E) -> Output
) throws(E) -> [(primitive: String, name: String)] {
  try Linearization(at: point, of: f).operations
}

extension Linearization {
  fileprivate var operations: [(primitive: String, name: String)] {
    recording.nodes.map { node in
      let type = String(describing: type(of: node.primitive))
      return (String(type.prefix { $0 != "<" }), node.primitive.name)
    }
  }
}
