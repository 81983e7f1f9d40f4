import Autodiff
import TensorFiles

/// A rule that improves the parameters of a model along a gradient.
///
///     var optimizer = Adam(learningRate: 1e-3)
///     for _ in 0..<stepCount {
///       let slope = gradient(at: model) { model in meanSquaredError(model(x), y) }
///       optimizer.update(&model, along: slope)
///     }
///
/// An optimiser is a value: its state (momenta, step count) belongs to one model, is made at the
/// first update, and copies and saves like any other. Tensors that are not floating point stay as
/// they are. Updates are made of tensor operations, so a run of them can be differentiated.
///
/// A checkpoint remembers the state, which is empty before the first step, and the settings, which a
/// schedule may have changed.
///
/// A gradient that is not finite gives parameters that are not finite; `clipped(toNorm:)` returns
/// the norm to test.
public protocol Optimizer: Sendable, Checkpointable {
  /// The size of a step; may be changed between updates.
  var learningRate: Double { get set }

  /// Takes one step.
  ///
  /// - Precondition: The gradient has the shapes and scalar types of the model, and the model those
  ///   of the previous updates.
  mutating func update<Model: TensorTree>(_ model: inout Model, along gradient: Model)
}

/// The floating-point leaves of a model before a step, checked against gradient and state.
struct Parameters {
  /// All leaves, to be replaced one by one.
  var tensors: [Tensor]
  let gradients: [Tensor]

  /// - Parameters:
  ///   - name: The optimiser's, for messages.
  ///   - state: One tensor per leaf, or none before the first step.
  init<Model: TensorTree>(_ name: String, _ model: Model, _ gradient: Model, state: [Tensor]) {
    tensors = model.tensors
    gradients = gradient.tensors
    Self.require(name, model, tensors, gradients, "gradient")
    if !state.isEmpty { Self.require(name, model, tensors, state, "optimizer's state") }
  }

  /// The leaves that an optimiser changes.
  var indices: [Int] { tensors.indices.filter { tensors[$0].scalarType.isFloatingPoint } }

  /// Zeros for every leaf, as the first state.
  var zeros: [Tensor] { tensors.map { Tensor.zeros(like: $0) } }

  private static func require(
    _ name: String, _ model: some TensorTree, _ tensors: [Tensor], _ others: [Tensor],
    _ role: String
  ) {
    guard tensors.count == others.count else {
      stop(name, "the model has \(tensors.count) tensors and the \(role) has \(others.count)")
    }
    for (index, (tensor, other)) in zip(tensors, others).enumerated() {
      guard tensor.shape == other.shape, tensor.scalarType == other.scalarType else {
        let path = model.tensorPaths[index]
        stop(
          name,
          """
          \(path.isEmpty ? "the parameter" : path) is \(tensor.shape) \(tensor.scalarType), but \
          its part of the \(role) is \(other.shape) \(other.scalarType)
          """)
      }
    }
  }
}
