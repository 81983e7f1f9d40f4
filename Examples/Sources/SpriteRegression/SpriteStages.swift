import Autodiff
import DSprites

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
