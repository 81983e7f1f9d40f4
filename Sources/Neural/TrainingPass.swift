import Autodiff

/// What one forward pass in training needs beyond the input, and what it leaves behind: random
/// numbers for dropout, and the new values of running statistics.
///
/// A pass is a variable outside the gradient. The model is called with it inside, and adopts what
/// it collected afterwards:
///
///     for _ in 0..<stepCount {
///       var pass = TrainingPass(using: &generator)
///       let slope = gradient(at: model) { model in
///         meanSquaredError(model(x, &pass), y)
///       }
///       model.adopt(pass)
///       optimizer.update(&model, along: slope)
///     }
///
/// Collected values are constants for every transform. Each call of a layer with dropout draws
/// another mask, and each call of a layer with running statistics updates them once more. Where a
/// function must have the same value each time (second derivatives by differences, a line search,
/// `checkpointed`), call the model with a copy made inside: `var pass = pass`.
public struct TrainingPass: Sendable {
  /// Where layers draw their random numbers; draw from it to have a layer of one's own do so.
  public var generator: PhiloxGenerator

  /// State tensors as the model stores them, and their newest values.
  ///
  /// Holding the old tensor keeps its memory from being given to another one, so that memory
  /// identifies it.
  private var changes: [(old: Tensor, new: Tensor)] = []

  /// Creates a pass with random numbers of its own; moves the generator on by one.
  public init(using generator: inout PhiloxGenerator) { self.generator = generator.split() }

  /// Notes a new value of a layer's state, computed from the newest one.
  ///
  /// - Parameters:
  ///   - state: The tensor as the layer stores it and `visitState` lists it.
  ///   - next: The new value, of the same shape and scalar type, from the value so far: the stored
  ///     one, or what an earlier call in this pass made of it. Constant for every transform.
  public mutating func update(_ state: Tensor, _ next: (Tensor) -> Tensor) {
    let position = changes.firstIndex { $0.old.isStoredWith(state) }
    let current = position.map { changes[$0].new } ?? stopGradient(state)
    var new = stopGradient(next(current))
    // A gradient check evaluates a float32 model at float64 arguments.
    if isPromotingFloats, new.scalarType.isFloatingPoint { new = new.cast(to: state.scalarType) }
    guard new.shape == state.shape, new.scalarType == state.scalarType else {
      stop(
        "TrainingPass",
        """
        the new value of a state of \(state.shape) \(state.scalarType) is \
        \(new.shape) \(new.scalarType)
        """)
    }
    if let position { changes[position].new = new } else { changes.append((state, new)) }
  }

  /// Replaces the values that the pass has changed.
  fileprivate func applied(to state: LayerState) -> LayerState {
    var result = state
    let (paths, tensors) = (state.tensorPaths, state.tensors)
    var updated = tensors
    for (old, new) in changes {
      let positions = tensors.indices.filter { tensors[$0].isStoredWith(old) }
      guard let position = positions.first else {
        stop(
          "adopt",
          """
          the pass changed a state of shape \(old.shape) that this model does not hold; adopt a \
          pass once, in the model that was called with it, and list all state in visitState
          """)
      }
      guard positions.count == 1 else {
        stop(
          "adopt",
          """
          \(positions.map { paths[$0] }.joined(separator: " and ")) are one tensor, because one \
          layer is a copy of another, so their statistics cannot be told apart; create each layer \
          by itself
          """)
      }
      updated[position] = new
    }
    result.tensors = updated
    return result
  }
}

extension Layer {
  /// Takes over the state that a training pass through this model has collected.
  ///
  /// Call it once after the gradient. A state is recognised by the tensor that was stored when the
  /// pass was made, so layers may be called in any order and any number of times.
  ///
  /// - Precondition: The pass went through this model, or a copy with the same state, and was not
  ///   adopted before.
  public mutating func adopt(_ pass: TrainingPass) { state = pass.applied(to: state) }
}

extension Tensor {
  /// Whether two tensors are one value in memory.
  fileprivate func isStoredWith(_ other: Tensor) -> Bool { bytes == other.bytes }
}
