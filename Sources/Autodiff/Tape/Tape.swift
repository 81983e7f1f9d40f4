#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The record of one reverse level: a flat array of nodes in execution order.
///
/// Nodes refer to each other by slot number, never by reference, so a tape of a million operations
/// is walked by a loop and freed without recursion.
final class Tape: @unchecked Sendable {
  // Safety of @unchecked Sendable: mutated by its own thread only, which `record` checks.

  private var nodes: [Node] = []
  private var slotCount: Int32 = 0
  private var inputCount: Int32 = 0
  private let thread = pthread_self()

  /// Places a differentiated argument on the tape, before anything is recorded.
  func addInput() -> Int32 {
    inputCount += 1
    slotCount += 1
    return slotCount - 1
  }

  /// Records one application and returns the outputs, traced.
  func record(
    _ primitive: some Primitive, _ inputs: [Tensor], _ peeled: [Tensor], _ outputs: [Tensor],
    level: Level
  ) -> [Tensor] {
    var parents = Parents(count: inputs.count)
    for index in inputs.indices {
      guard let slot = inputs[index].slot(at: level) else { continue }
      parents[index] = slot
    }
    let residuals = primitive.residuals
    let firstSlot = append(
      primitive, residuals.contains(.inputs) ? peeled : peeled.mapped { $0.abstract },
      residuals.contains(.outputs) ? outputs : outputs.mapped { $0.abstract }, parents)
    guard outputs.count > 1 else { return outputs.mapped { $0.recorded(in: firstSlot, at: level) } }
    return outputs.indices.map { outputs[$0].recorded(in: firstSlot + Int32($0), at: level) }
  }

  /// `record` for one input and one output.
  func record(
    _ primitive: some UnaryPrimitive, _ input: Tensor, _ peeled: Tensor, _ output: Tensor,
    level: Level
  ) -> Tensor {
    var parents = Parents(count: 1)
    parents[0] = input.slot(at: level) ?? -1
    let residuals = primitive.residuals
    let slot = append(
      primitive, [residuals.contains(.inputs) ? peeled : peeled.abstract],
      [residuals.contains(.outputs) ? output : output.abstract], parents)
    return output.recorded(in: slot, at: level)
  }

  /// Appends a node that keeps the values its rules read and the shapes of the rest; returns the slot
  /// of its first output.
  private func append(
    _ primitive: some Primitive, _ inputs: [Tensor], _ outputs: [Tensor], _ parents: Parents
  ) -> Int32 {
    requireOwnThread(primitive.name)
    defer { slotCount += Int32(outputs.count) }
    nodes.append(
      Node(
        primitive: primitive, inputs: inputs, outputs: outputs, parents: parents,
        firstSlot: slotCount))
    return slotCount
  }

  /// Stops a use on another thread: a tape belongs to one.
  func requireOwnThread(_ operation: @autoclosure () -> String) {
    guard pthread_equal(thread, pthread_self()) == 0 else { return }
    stop(
      operation(),
      """
      a tensor is used on another thread than the one that differentiates it. Run the whole \
      transform inside the concurrent task, or hand the task stopGradient(tensor)
      """)
  }

  /// Ends recording and moves the nodes out, so that no escaped tensor keeps them alive.
  func finish() -> Recording {
    defer { nodes = [] }
    return Recording(nodes: nodes, slotCount: Int(slotCount), inputCount: Int(inputCount))
  }
}

extension Tensor {
  /// The tensor as its level sees it; an output that is not floating point stays a constant.
  fileprivate func recorded(in slot: Int32, at level: Level) -> Tensor {
    scalarType.isFloatingPoint ? traced(.slot(slot), at: level) : self
  }
}

/// One recorded application of a primitive.
struct Node: Sendable {
  let primitive: any Primitive
  let inputs: [Tensor]
  let outputs: [Tensor]
  let parents: Parents
  let firstSlot: Int32

  var point: Point { Point(inputs: inputs, outputs: outputs, parents: parents) }
}

/// The slots of a node's inputs, −1 for an input that is not differentiated; two without
/// allocating.
struct Parents: Sendable {
  private var first: (Int32, Int32) = (-1, -1)
  private var rest: [Int32] = []
  let count: Int

  init(count: Int) {
    self.count = count
    if count > 2 { rest = Array(repeating: -1, count: count - 2) }
  }

  subscript(index: Int) -> Int32 {
    get { index == 0 ? first.0 : index == 1 ? first.1 : rest[index - 2] }
    set {
      switch index {
      case 0: first.0 = newValue
      case 1: first.1 = newValue
      default: rest[index - 2] = newValue
      }
    }
  }
}
