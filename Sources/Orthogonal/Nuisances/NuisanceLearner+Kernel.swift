import Autodiff
import Bilevel
import Solvers

/// How the penalty λ of kernel ridge regression is chosen.
public enum RidgeRule: Sendable, Equatable {
  /// λ, whatever the number of rows.
  case fixed(Double)
  /// λ = c n^(−p) on n training rows.
  case rate(constant: Double, power: Double)
  /// The λ of a grid with the smallest leave-one-out error (or held-out loss, where the inner loss
  /// is not quadratic), times a factor, and at least 0.1 / n.
  ///
  /// A score needs less smoothing than a prediction: a bias of its nuisances also makes its estimated
  /// variance too small, which the factor ½ mends on simulated data. The floor keeps a fold from
  /// hardly smoothing at all.
  case crossValidated(factor: Double = 0.5)
}

extension NuisanceLearner {
  /// Kernel ridge regression on random landmarks, with K the kernel matrix.
  ///
  ///     f = argmin (1/n) Σᵢ ½ ‖Tᵢ − f(xᵢ)‖² + (λ/2) ‖f‖²,   for all rows as landmarks K (K + n λ I)⁻¹ T
  ///
  /// and the same with the inner loss in place of the square where that is not quadratic.
  ///
  /// - Parameters:
  ///   - kernel: k; nil for a Gaussian on inputs scaled to unit deviation, whose length scale is
  ///     chosen with λ from multiples of the median distance.
  ///   - ridge: How λ is chosen.
  ///   - landmarkCount: m, the most training rows that serve as landmarks (Nyström). Well above the
  ///     effective dimension the result is that of all rows.
  ///   - hasIntercept: Whether a constant is added that is not penalised.
  public static func kernelRidge(
    _ kernel: Kernel? = nil, ridge: RidgeRule = .crossValidated(), landmarkCount: Int = 150,
    hasIntercept: Bool = true
  ) -> NuisanceLearner {
    guard landmarkCount > 0 else {
      stop("NuisanceLearner.kernelRidge", "expected at least one landmark, found \(landmarkCount)")
    }
    var learner = NuisanceLearner(name: "kernel ridge regression, \(ridge)") { fold in
      let order = Tensor.permutation(fold.count, using: &fold.generator)
      let landmarks = fold.inputs.gathering(
        order.slice(0..<Swift.min(landmarkCount, fold.count), alongAxis: 0), alongAxis: 0)
      let candidates = try KernelCandidates(
        kernel, landmarks: landmarks, scaledBy: kernel == nil ? fold.inputs.columnDeviations : nil,
        hasIntercept: hasIntercept)
      switch ridge {
      case .fixed(let value):
        return .linear(candidates.typical.with(RidgePenalty(shift: value)))
      case .rate(let constant, let power):
        let value = constant * pow(Tensor(Double(fold.count)), -power).scalar
        return .linear(candidates.typical.with(RidgePenalty(shift: value)))
      case .crossValidated(let factor):
        return .linear(try candidates.best(on: fold, factor: factor))
      }
    }
    if case .crossValidated = ridge { learner.clipsPredictions = true }
    return learner
  }
}

extension RidgeRule: CustomStringConvertible {
  public var description: String {
    switch self {
    case .fixed(let value): "λ = \(number(value))"
    case .rate(let constant, let power): "λ = \(number(constant)) n^−\(number(power))"
    case .crossValidated(let factor):
      factor == 1 ? "cross-validated λ" : "\(number(factor)) × cross-validated λ"
    }
  }
}

/// Kernel classes on the same landmarks that differ in length scale.
private struct KernelCandidates {
  private let classes: [LinearClass]

  init(
    _ kernel: Kernel?, landmarks: Tensor, scaledBy scale: Tensor?, hasIntercept: Bool
  ) throws {
    let points = scale.map { landmarks / $0 } ?? landmarks
    let kernels = kernel.map { [$0] } ?? Self.gaussians(on: points)
    classes = try kernels.map { kernel in
      let base = try LinearClass.kernel(kernel, points: points, ridge: 0)
      return LinearClass(
        name: "\(kernel) on \(points.shape[0]) landmarks", ridge: 0, hasIntercept: hasIntercept,
        penalizesIntercept: false
      ) { x in base.features(scale.map { x / $0 } ?? x) }
    }
  }

  /// The class of the given kernel, or of the median distance.
  var typical: LinearClass { classes[classes.count / 2] }

  /// The class with the least risk, λ included.
  func best(on fold: NuisanceFold, factor: Double) throws -> LinearClass {
    let floor = 0.05 / Double(fold.count)
    // Three values a decade.
    let ridges = (0.5 * pow(Tensor(10), Tensor.range(19) / 3 - 6)).scalars.filter { $0 >= floor }
    var best: (risk: Double, linearClass: LinearClass)?
    for linearClass in classes {
      for (ridge, risk) in zip(ridges, try fold.risks(of: linearClass, ridges: ridges))
      where risk < best?.risk ?? .infinity {
        best = (risk, linearClass.with(ridge: Swift.max(factor * ridge, floor)))
      }
    }
    guard let best else {
      throw OrthogonalError.singularGram(className: typical.name, rowCount: fold.count)
    }
    return best.linearClass
  }

  /// Multiples of the median distance between landmarks.
  private static func gaussians(on points: Tensor) -> [Kernel] {
    let centred = points - points.mean(alongAxis: 0)
    let squares = square(centred).sum(alongAxis: 1)
    let distances =
      squares.expandingShape(at: 1) + squares.expandingShape(at: 0)
      - 2 * matmul(centred, centred, transposeB: true)
    let positive = distances.scalars.filter { $0 > 1e-12 }.sorted()
    let median = positive.isEmpty ? 1 : positive[positive.count / 2].squareRoot()
    return [0.25, 0.5, 1, 2].map { .gaussian(lengthScale: $0 * median) }
  }
}
