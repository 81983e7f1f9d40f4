import Bilevel
import Neural
import TensorFiles

extension SpriteFit {
  /// Writes what the fit needs to go on to the same bits.
  ///
  /// - Throws: Where the file cannot be written.
  public func writeCheckpoint(to path: String) throws(FileError) {
    try SpriteCheckpoint(training.snapshot, history).writeCheckpoint(to: path)
  }

  /// Goes on where another fit, made in the same way, wrote a checkpoint.
  ///
  /// - Throws: Where the file cannot be read, is damaged or of another fit; this one is then as it
  ///   was.
  public func readCheckpoint(from path: String) throws(FileError) {
    var checkpoint = SpriteCheckpoint(training.snapshot, history)
    try checkpoint.readCheckpoint(from: path)
    training.restore(checkpoint.training)
    history = checkpoint.history
  }
}

/// The loop with its history.
private struct SpriteCheckpoint: Checkpointable {
  var training: FunctionalSnapshot<Sequential>
  private var inner: [Double]
  private var outer: [Double]
  private var gradientNorms: [Double]

  init(_ training: FunctionalSnapshot<Sequential>, _ history: [SpriteFit.Losses]) {
    self.training = training
    inner = history.map(\.inner)
    outer = history.map(\.outer)
    gradientNorms = history.map(\.gradientNorm)
  }

  var history: [SpriteFit.Losses] {
    zip(inner, zip(outer, gradientNorms)).map {
      SpriteFit.Losses(inner: $0, outer: $1.0, gradientNorm: $1.1)
    }
  }

  mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&training, "training")
    visitor.visit(&inner, "inner")
    visitor.visit(&outer, "outer")
    visitor.visit(&gradientNorms, "gradientNorms")
    visitor.require(
      inner.count == outer.count && inner.count == gradientNorms.count,
      "one loss of each kind for each iteration was expected")
  }
}
