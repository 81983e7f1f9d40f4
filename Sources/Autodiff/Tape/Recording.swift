import CTensorKernels

/// A finished tape: the linearisation of a function at a point, to be applied in both directions.
///
/// A class, so that `drainingPullback` can empty it whoever else still refers to it.
final class Recording {
  private(set) var nodes: [Node]
  let slotCount: Int
  /// The first slots are those of the differentiated arguments.
  let inputCount: Int

  private struct Plan {
    let outputs: [Int32?]
    let nodes: [Int]
  }
  private var plan: Plan?

  init(nodes: [Node], slotCount: Int, inputCount: Int) {
    self.nodes = nodes
    self.slotCount = slotCount
    self.inputCount = inputCount
  }

  /// Jᵀ: cotangents of the inputs from cotangents of output slots; nil is an exact zero.
  func pullback(_ seeds: [(slot: Int32, cotangent: Tensor)]) throws -> [Tensor?] {
    var sums = Accumulator(slotCount: slotCount, seeds: seeds)
    for node in nodes.reversed() { try sums.propagate(through: node) }
    return sums.inputCotangents(inputCount)
  }

  /// `pullback` for the only time: frees each node's residuals as soon as they were used.
  func drainingPullback(_ seeds: [(slot: Int32, cotangent: Tensor)]) throws -> [Tensor?] {
    var sums = Accumulator(slotCount: slotCount, seeds: seeds)
    while let node = nodes.popLast() { try sums.propagate(through: node) }
    return sums.inputCotangents(inputCount)
  }

  /// J: tangents of output slots from tangents of the inputs; nil is an exact zero.
  func pushforward(_ inputTangents: [Tensor?], outputs: [Int32?]) throws -> [Tensor?] {
    var tangents = [Tensor?](repeating: nil, count: slotCount)
    for (slot, tangent) in inputTangents.enumerated() { tangents[slot] = tangent }
    for index in contributors(to: outputs) {
      let node = nodes[index]
      let inputs = (0..<node.parents.count).map { index in
        node.parents[index] < 0 ? nil : tangents[Int(node.parents[index])]
      }
      guard inputs.contains(where: { $0 != nil }) else { continue }
      let results = try node.primitive.jvp(node.point, inputs)
      for (index, result) in results.enumerated() {
        guard let result else { continue }
        requireMatch(result, node.outputs[index], node.primitive.name, "tangent of its output")
        tangents[Int(node.firstSlot) + index] = result
      }
    }
    return outputs.map { slot in slot.flatMap { tangents[Int($0)] } }
  }

  /// The nodes that outputs depend on, in order; kept, because a linear map is applied many times.
  ///
  /// The derivative of a gradient, for one, does not need the nodes that only lead to the value.
  private func contributors(to outputs: [Int32?]) -> [Int] {
    if let plan, plan.outputs == outputs { return plan.nodes }
    var isNeeded = [Bool](repeating: false, count: slotCount)
    for slot in outputs { if let slot { isNeeded[Int(slot)] = true } }
    var needed: [Int] = []
    for index in nodes.indices.reversed() {
      let node = nodes[index]
      let first = Int(node.firstSlot)
      guard (first..<first + node.outputs.count).contains(where: { isNeeded[$0] }) else { continue }
      needed.append(index)
      for input in 0..<node.parents.count where node.parents[input] >= 0 {
        isNeeded[Int(node.parents[input])] = true
      }
    }
    let plan = Plan(outputs: outputs, nodes: needed.reversed())
    self.plan = plan
    return plan.nodes
  }
}

/// Cotangents by slot during a reverse walk.
private struct Accumulator {
  private var cotangents: [Tensor?]

  init(slotCount: Int, seeds: [(slot: Int32, cotangent: Tensor)]) {
    cotangents = Array(repeating: nil, count: slotCount)
    for seed in seeds { add(seed.cotangent, to: Int(seed.slot)) }
  }

  func inputCotangents(_ count: Int) -> [Tensor?] { Array(cotangents.prefix(count)) }

  mutating func propagate(through node: Node) throws {
    let first = Int(node.firstSlot)
    let count = node.outputs.count
    guard (first..<first + count).contains(where: { cotangents[$0] != nil }) else { return }
    var seeds: [Tensor?] = []
    seeds.reserveCapacity(count)
    for slot in first..<first + count { seeds.append(cotangents[slot].take()) }
    let results = try node.primitive.vjp(node.point, seeds)
    guard results.count == node.inputs.count else {
      stop(
        node.primitive.name,
        "its VJP rule returned \(results.count) cotangents for \(node.inputs.count) inputs")
    }
    for (index, result) in results.enumerated() {
      guard node.parents[index] >= 0, let result else { continue }
      requireMatch(
        result, node.inputs[index], node.primitive.name, "cotangent of input \(index)")
      add(result, to: Int(node.parents[index]))
    }
  }

  private mutating func add(_ cotangent: Tensor, to slot: Int) {
    guard let sum = cotangents[slot].take() else {
      cotangents[slot] = cotangent
      return
    }
    cotangents[slot] = accumulated(sum, cotangent)
  }

  /// `sum + term`, in the memory of `sum` where nothing else refers to it.
  private func accumulated(_ sum: consuming Tensor, _ term: Tensor) -> Tensor {
    guard sum.tracing == nil, term.tracing == nil else { return sum + term }
    let (shape, scalarType) = (sum.shape, sum.scalarType)
    var storage = sum.storage
    _ = consume sum
    guard isKnownUniquelyReferenced(&storage) else {
      return Tensor(storage: storage, shape: shape, scalarType: scalarType) + term
    }
    tk_axpy(scalarType.kernelType, 1, term.bytes, storage.bytes, shape.elementCount)
    return Tensor(storage: storage, shape: shape, scalarType: scalarType)
  }
}
