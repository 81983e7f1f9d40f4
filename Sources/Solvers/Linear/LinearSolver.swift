import Autodiff

/// A method for A x = b.
///
/// A solver never fails silently and never decides what failure means: it returns what it has with
/// a status, and the layer throws or not.
public protocol LinearSolver: Sendable {
  /// The relative residual ‖b − A x‖ / ‖b‖ to reach whatever a system asks for; nil is what the system
  /// asks for, which a layer matches to the accuracy of the inner solution.
  var tolerance: Double? { get }

  /// Whether it forms the matrix, so that a certificate may do so at no cost; false unless stated.
  var formsMatrix: Bool { get }

  /// Solves a system.
  ///
  /// - Throws: What the operator throws.
  func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution
}

extension LinearSolver {
  public var formsMatrix: Bool { false }

  /// The relative residual that this solver has to reach for a system.
  public func tolerance(for system: LinearSystem) -> Double { tolerance ?? system.tolerance }
}

/// A method that improves x by products with A, a few numbers a step.
public protocol KrylovSolver: LinearSolver {
  /// When it stops.
  var options: KrylovOptions { get }
}

extension KrylovSolver {
  public var tolerance: Double? { options.tolerance }
}

/// When an iterative method for A x = b stops.
public struct KrylovOptions: Sendable, Equatable {
  /// The relative residual ‖b − A x‖ / ‖b‖ to reach; nil is what the system asks for.
  public let tolerance: Double?
  /// The most iterations; nil is the method's own number, 10 n for all but `Neumann`.
  public let maximumIterations: Int?

  /// Options.
  ///
  /// - Parameters:
  ///   - tolerance: Not negative; nil is what the system asks for.
  ///   - maximumIterations: At least 1; nil is the method's own number.
  ///   - method: Who checks them, for messages.
  public init(tolerance: Double? = nil, maximumIterations: Int? = nil, for method: String) {
    requireTolerance(tolerance, method)
    if let maximumIterations, maximumIterations < 1 {
      stop(method, "maximumIterations must be at least 1, found \(maximumIterations)")
    }
    (self.tolerance, self.maximumIterations) = (tolerance, maximumIterations)
  }
}

/// A vector with the evidence for it.
public struct LinearSolution: Sendable {
  /// x.
  public let value: Tensor
  /// How well it solves the system; its history holds ‖b − A x‖.
  public let status: SolverStatus

  /// What a solver of one's own has found, and how well.
  public init(value: Tensor, status: SolverStatus) {
    self.value = value
    self.status = status
  }
}
