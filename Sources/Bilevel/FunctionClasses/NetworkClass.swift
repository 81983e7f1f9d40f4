import Autodiff
import Neural

/// Functions given by a network: x ↦ φ_θ(x)ᵀ W + b with trained features φ_θ.
///
/// The linear last layer is either solved for at every step of training, so that only the features
/// are trained (variable projection), or trained like the rest.
public struct NetworkClass: Sendable {
  /// Where the last layer comes from.
  public enum Head: Sendable {
    /// argmin L(ω, [φ, 1] W) + λ ‖W‖² with λ > 0; the intercept is penalised like the other weights.
    case closedForm(ridge: Double)
    /// Trained with the features, from here.
    case trained(Dense)
  }

  /// φ, as initialised.
  public var features: Sequential
  /// Where the last layer comes from.
  public var head: Head
  /// How the network is trained for one outer iteration.
  public var training: InnerTraining

  /// A class of networks.
  ///
  /// - Parameters:
  ///   - features: φ, from [n, p] to [n, m], as initialised.
  public init(features: some Layer, head: Head, training: InnerTraining = InnerTraining()) {
    if case .closedForm(let ridge) = head, !(ridge > 0 && ridge.isFinite) {
      stop(
        "NetworkClass",
        """
        the ridge of a closed-form head must be positive, found \(ridge): trained features can \
        become linearly dependent
        """)
    }
    self.features = Sequential([features])
    self.head = head
    self.training = training
  }

  /// λ of a closed-form last layer; nil for a trained one.
  package var headRidge: Double? {
    if case .closedForm(let ridge) = head { ridge } else { nil }
  }
}

/// How a network is brought nearer to the solution within one outer iteration.
public struct InnerTraining: Sendable {
  /// The rule of a step, before the first one.
  public var optimizer: any Optimizer
  /// The most steps to take.
  public var stepCount: Int
  /// Rows of a random batch; nil for the whole sample.
  public var batchSize: Int?
  /// Steps end where ‖∂L/∂θ‖ has fallen to this part of what it was at the first step of all.
  ///
  /// Where they end without that, the solve counts as failed. Nil takes all steps: a fixed budget.
  public var tolerance: Double?
  /// The learning rate relative to the optimiser's, by the number of steps taken so far.
  public var schedule: @Sendable (_ step: Int) -> Double

  /// A budget of steps.
  public init(
    optimizer: any Optimizer = Adam(learningRate: 1e-3), stepCount: Int = 20,
    batchSize: Int? = nil, tolerance: Double? = nil,
    schedule: @escaping @Sendable (_ step: Int) -> Double = { _ in 1 }
  ) {
    guard stepCount >= 0, batchSize.map({ $0 > 0 }) ?? true else {
      stop(
        "InnerTraining",
        """
        the number of steps must not be negative and a batch has at least one row, found \
        \(stepCount) and \(batchSize.map(String.init) ?? "the whole sample")
        """)
    }
    self.optimizer = optimizer
    self.stepCount = stepCount
    self.batchSize = batchSize
    self.tolerance = tolerance
    self.schedule = schedule
  }
}

/// Features with a linear last layer.
package struct HeadedNetwork: Layer {
  package var features: Sequential
  var head: Dense

  package func callAsFunction(_ x: Tensor) -> Tensor { head(features(x)) }

  package func callAsFunction(_ x: Tensor, _ pass: inout TrainingPass) -> Tensor {
    head(features(x, &pass))
  }

  package mutating func visitState(_ visitor: inout TensorVisitor) {
    visitor.visitState(of: &features, "features")
  }

  package mutating func updateState() { features.updateState() }
}

extension Dense {
  /// The layer of weights [m + 1, d] whose last row is the intercept.
  init(rowsWithIntercept weights: Tensor) {
    let count = weights.shape[0] - 1
    self.init(
      weight: weights.slice(0..<count, alongAxis: 0),
      bias: weights.slice(count..<count + 1, alongAxis: 0).squeezingShape(at: 0))
  }

  /// The layer, which has as many outputs as predictions have.
  func requiring(_ outputCount: Int, _ name: String) -> Dense {
    guard outputSize == outputCount else {
      stop(
        "FuncID",
        """
        \(name) has \(outputCount) outputs, but the last layer of its network has \(outputSize)
        """)
    }
    return self
  }

  /// The weights with the intercept as the last row.
  var rowsWithIntercept: Tensor {
    let intercept = bias ?? Tensor.zeros([outputSize], weight.scalarType)
    return Tensor.concatenated([weight, intercept.expandingShape(at: 0)], alongAxis: 0)
  }
}
