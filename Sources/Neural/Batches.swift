import Autodiff

/// One pass over the rows of a data set in batches of indices.
///
///     for indices in Batches(count: n, batchSize: 64, shuffledUsing: &generator) {
///       let x = inputs.gathering(indices, alongAxis: 0)
///       let y = targets.gathering(indices, alongAxis: 0)
///     }
///
/// Every index in `0..<count` appears once, unless the last batch is dropped. The order is drawn at
/// creation: a new pass over the same value repeats it, a new value from the same generator does
/// not, and the same seed gives the same order everywhere.
public struct Batches: RandomAccessCollection, Sendable {
  private let order: Tensor
  private let batchSize: Int
  /// The number of batches.
  public let endIndex: Int

  /// Batches of rows in random order.
  ///
  /// - Parameters:
  ///   - count: The number of rows.
  ///   - batchSize: The number of rows of each batch but perhaps the last.
  ///   - generator: Draws the order.
  ///   - dropsLast: Whether a last batch that is not full is left out.
  public init(
    count: Int, batchSize: Int, shuffledUsing generator: inout PhiloxGenerator,
    dropsLast: Bool = false
  ) {
    self.init(Tensor.permutation(count, using: &generator), batchSize, dropsLast)
  }

  /// Batches of rows in their own order.
  public init(count: Int, batchSize: Int, dropsLast: Bool = false) {
    self.init(Tensor.range(count, .int32), batchSize, dropsLast)
  }

  private init(_ order: Tensor, _ batchSize: Int, _ dropsLast: Bool) {
    guard batchSize > 0 else {
      stop("Batches", "expected a batch size above 0, found \(batchSize)")
    }
    self.order = order
    self.batchSize = batchSize
    endIndex = (order.elementCount + (dropsLast ? 0 : batchSize - 1)) / batchSize
  }

  /// 0, the first batch.
  public var startIndex: Int { 0 }

  /// The row indices of a batch: an `int32` tensor of one axis.
  public subscript(position: Int) -> Tensor {
    guard indices.contains(position) else {
      stop("Batches", "batch \(position) does not exist, there are \(endIndex)")
    }
    let start = position * batchSize
    return order.slice(start..<Swift.min(start + batchSize, order.elementCount), alongAxis: 0)
  }
}
