import Autodiff

/// How a layer draws its parameters: a distribution that may depend on the layer's sizes.
///
///     Dense(inputSize: 8, outputSize: 8, weight: .orthogonal(), bias: .zeros, using: &generator)
///
/// The same generator gives the same tensor.
public struct Initializer: Sendable {
  /// The sizes of the layer that a parameter belongs to.
  public struct Fans: Sendable {
    /// How many inputs reach one output.
    public let input: Int
    /// How many outputs one input reaches.
    public let output: Int

    /// Creates the sizes of a layer.
    public init(input: Int, output: Int) {
      self.input = input
      self.output = output
    }
  }

  /// A rule that makes a tensor of a shape and scalar type for a layer of given sizes.
  public typealias Rule =
    @Sendable (Shape, Fans, ScalarType, inout PhiloxGenerator) -> Tensor

  private let rule: Rule

  /// Creates an initialiser of one's own.
  public init(_ rule: @escaping Rule) { self.rule = rule }

  /// Draws a parameter.
  public func tensor(
    _ shape: Shape, _ fans: Fans, _ scalarType: ScalarType, using generator: inout PhiloxGenerator
  ) -> Tensor {
    guard scalarType.isFloatingPoint else {
      stop("Initializer", "parameters are float32 or float64, not \(scalarType)")
    }
    return rule(shape, fans, scalarType, &generator)
  }

  // MARK: - Constants

  /// All elements 0.
  public static let zeros = constant(0)

  /// All elements `value`.
  public static func constant(_ value: Double) -> Initializer {
    Initializer { shape, _, type, _ in Tensor(repeating: value, shape: shape, type) }
  }

  // MARK: - Independent elements

  /// Uniform on ±1/√inputs, PyTorch's default for linear layers, weight and bias.
  public static let fanInUniform = uniform { 1 / Double($0.input).squareRoot() }

  /// Uniform with variance 2/(inputs + outputs): ±√(6/(inputs + outputs)).
  ///
  /// Glorot and Bengio, Understanding the difficulty of training deep feedforward networks (2010).
  public static let glorotUniform = uniform { (6 / Double($0.input + $0.output)).squareRoot() }

  /// Normal with variance 2/(inputs + outputs).
  public static let glorotNormal = normal { (2 / Double($0.input + $0.output)).squareRoot() }

  /// Uniform with variance 2/inputs: ±√(6/inputs), for layers followed by a ReLU.
  ///
  /// He, Zhang, Ren and Sun, Delving deep into rectifiers (2015).
  public static let heUniform = uniform { (6 / Double($0.input)).squareRoot() }

  /// Normal with variance 2/inputs, for layers followed by a ReLU.
  public static let heNormal = normal { (2 / Double($0.input)).squareRoot() }

  private static func uniform(bound: @escaping @Sendable (Fans) -> Double) -> Initializer {
    Initializer { shape, fans, type, generator in
      let bound = bound(fans)
      return Tensor.uniform(shape, from: -bound, to: bound, type, using: &generator)
    }
  }

  private static func normal(deviation: @escaping @Sendable (Fans) -> Double) -> Initializer {
    Initializer { shape, fans, type, generator in
      Tensor.normal(shape, standardDeviation: deviation(fans), type, using: &generator)
    }
  }
}
