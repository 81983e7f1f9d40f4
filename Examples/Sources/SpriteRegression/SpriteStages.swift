import Autodiff
import DSprites
import Neural

/// The rows of both stages of a fit.
///
/// Without cross-fitting the first half of the sample serves in the first stage and the second in
/// the second. With it every row serves in both, and in the second stage its features are predicted
/// by the network that was fitted to the other half.
package struct SpriteStages: Sendable {
  /// Images of the first stage, [n₁, 4096].
  package let treatments: Tensor
  /// Instruments of the first stage, [n₁, q].
  package let firstInstruments: Tensor
  /// Instruments of the second stage, [n₂, q].
  package let secondInstruments: Tensor
  /// Outcomes of the second stage, [n₂, 1].
  package let outcomes: Tensor

  package init(_ sample: DSpritesSample, _ settings: SpriteSettings, seed: UInt64) {
    let (first, second) = sample.split(seed: seed)
    let scaling = settings.standardizesInstruments ? Scaling(first.instruments) : nil
    func scaled(_ x: Tensor) -> Tensor { scaling?(x) ?? x }
    guard settings.crossFits else {
      treatments = first.treatments
      firstInstruments = scaled(first.instruments)
      secondInstruments = scaled(second.instruments)
      outcomes = second.outcomes
      return
    }
    func joined(_ part: (DSpritesSample) -> Tensor) -> Tensor {
      Tensor.concatenated([part(first), part(second)], alongAxis: 0)
    }
    let folds = [Int](repeating: 0, count: first.count) + [Int](repeating: 1, count: second.count)
    let instruments = scaled(joined(\.instruments))
    treatments = joined(\.treatments)
    firstInstruments = FoldedFeatures.inputs(instruments, folds: folds)
    secondInstruments = FoldedFeatures.inputs(instruments, folds: folds.map { 1 - $0 })
    outcomes = joined(\.outcomes)
  }
}

extension SpriteStages {
  /// Where predictions are needed: the second stage's rows, and for a penalty on the variance of the
  /// first stage those of the first, unless they are the same.
  func predictionInstruments(_ settings: SpriteSettings) -> Tensor {
    guard settings.variancePenalty > 0, !settings.crossFits else { return secondInstruments }
    return Tensor.concatenated([secondInstruments, firstInstruments], alongAxis: 0)
  }
}

/// Instruments to mean 0 and variance 1, by the first half.
private struct Scaling {
  let center: Tensor
  let scale: Tensor

  init(_ x: Tensor) {
    center = x.mean(alongAxis: 0)
    scale = rsqrt(square(x - center).mean(alongAxis: 0))
  }

  package func callAsFunction(_ x: Tensor) -> Tensor { (x - center) * scale }
}

/// One network for each fold of a sample, as one layer: the last input column says which network a
/// row goes through.
///
/// Each fold has its own features and its own constant, so that a linear last layer has weights of
/// its own for each; the features of other folds are zero. With the fold of a row's own half in the
/// first stage and the other fold's in the second this is cross-fitting: no outcome meets a
/// prediction that has seen it, and every row serves in both stages.
package struct FoldedFeatures: Layer {
  package var folds: [Sequential]

  package init(folds: [Sequential]) { self.folds = folds }

  package func callAsFunction(_ x: Tensor) -> Tensor {
    let last = x.shape[1] - 1
    let fold = x.slice(last..<last + 1, alongAxis: 1).reshaped(to: [-1]).scalars
    let inputs = x.slice(0..<last, alongAxis: 1)
    let parts = folds.indices.map { index in
      let rows = Tensor(indices: fold.indices.filter { Int(fold[$0]) == index })
      let features = folds[index](inputs.gathering(rows, alongAxis: 0))
      let constant = Tensor.ones([features.shape[0], 1], features.scalarType)
      return Tensor.concatenated([features, constant], alongAxis: 1)
        .scatterAdding(to: rows, length: fold.count, alongAxis: 0)
    }
    return Tensor.concatenated(parts, alongAxis: 1)
  }

  package mutating func visitState(_ visitor: inout TensorVisitor) {
    for index in folds.indices { visitor.visitState(of: &folds[index], at: index) }
  }

  package mutating func updateState() {
    for index in folds.indices { folds[index].updateState() }
  }

  /// Inputs with the fold of each row.
  package static func inputs(_ x: Tensor, folds: [Int]) -> Tensor {
    let column = Tensor(folds.map(Double.init)).cast(to: x.scalarType)
    return Tensor.concatenated([x, column.expandingShape(at: 1)], alongAxis: 1)
  }
}

/// The regression of the outcome on predicted treatment features, with a penalty on what the
/// instruments leave open.
///
///     u = argmin mean (y − [h(z), 1] u)² + λ ‖u‖² + κ mean ((ψ(t) − h(z)) u)²
///
/// The instruments determine E[f(t) | z] only. Among the functions with the same expectation the
/// last term prefers the one that varies least at given instruments; κ = 0 is two-stage ridge
/// regression.
package struct SecondStage: Sendable {
  /// y, [n, 1].
  package let outcomes: Tensor
  /// λ, per observation.
  package let ridge: Double
  /// κ.
  package let variancePenalty: Double

  package init(outcomes: Tensor, ridge: Double, variancePenalty: Double) {
    (self.outcomes, self.ridge, self.variancePenalty) = (outcomes, ridge, variancePenalty)
  }

  /// u, [d + 1, 1], the intercept last.
  ///
  /// - Parameters:
  ///   - predictions: h(z) of the second stage's rows; if κ > 0 and those are not the first stage's,
  ///     followed by h(z) of the first stage's.
  ///   - targets: ψ(t) of the first stage's rows, [n₁, d].
  package func head(_ predictions: Tensor, _ targets: Tensor) throws(LinearAlgebraError) -> Tensor {
    let phi = withConstant(secondRows(predictions))
    let scale = 1 / Double(outcomes.shape[0])
    var normal =
      scale * matmul(phi, phi, transposeA: true)
      + ridge * Tensor.identity(phi.shape[1], phi.scalarType)
    if variancePenalty > 0 {
      let r = residual(predictions, targets)
      let gram = matmul(r, r, transposeA: true) * (variancePenalty / Double(r.shape[0]))
      normal += gram.padded([(0, 1), (0, 1)])
    }
    return try solvePositiveDefinite(
      normal, scale * matmul(phi, outcomes, transposeA: true))
  }

  /// The loss that `head` minimises.
  package func loss(_ predictions: Tensor, _ targets: Tensor, _ u: Tensor) -> Tensor {
    let fitted = matmul(withConstant(secondRows(predictions)), u)
    let loss = square(outcomes - fitted).mean() + ridge * square(u).sum()
    guard variancePenalty > 0 else { return loss }
    let slopes = u.slice(0..<u.shape[0] - 1, alongAxis: 0)
    return loss + variancePenalty * square(matmul(residual(predictions, targets), slopes)).mean()
  }

  /// [ψ, 1] u.
  package func predict(_ features: Tensor, _ u: Tensor) -> Tensor {
    matmul(withConstant(features), u)
  }

  private func secondRows(_ predictions: Tensor) -> Tensor {
    predictions.slice(0..<outcomes.shape[0], alongAxis: 0)
  }

  /// ψ(t) − h(z) on the first stage's rows, which are the last ones of the predictions.
  private func residual(_ predictions: Tensor, _ targets: Tensor) -> Tensor {
    let count = predictions.shape[0]
    return targets - predictions.slice(count - targets.shape[0]..<count, alongAxis: 0)
  }

  private func withConstant(_ features: Tensor) -> Tensor {
    let ones = Tensor.ones([features.shape[0], 1], features.scalarType)
    return Tensor.concatenated([features, ones], alongAxis: 1)
  }
}
