import Autodiff
import Solvers

/// A partition of the rows of a sample for cross-fitting: what is fitted on all folds but one is
/// evaluated on that one.
public struct Folds: Sendable, Equatable {
  /// The fold of every row, from 0 to `count` − 1.
  public let assignment: [Int]
  /// K, the number of folds.
  public let count: Int

  /// Given folds.
  ///
  /// - Throws: `OrthogonalError` where a fold is empty, or there is only one.
  public init(assignment: [Int]) throws(SolverError) {
    let count = (assignment.max() ?? -1) + 1
    guard count >= 2, assignment.allSatisfy({ $0 >= 0 }), Set(assignment).count == count else {
      throw .function(OrthogonalError.emptyFold(count: count, used: Set(assignment).count))
    }
    (self.assignment, self.count) = (assignment, count)
  }

  /// Random folds of equal size, up to one row.
  ///
  /// - Parameters:
  ///   - count: K ≥ 2.
  ///   - rowCount: n.
  public init(
    _ count: Int, ofRows rowCount: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) {
    guard count >= 2 else { stop("Folds", "expected at least 2 folds, found \(count)") }
    guard rowCount >= count else {
      throw .function(
        OrthogonalError.fewerUnitsThanFolds(
          unitCount: rowCount, foldCount: count, areGroups: false))
    }
    // As groups of one row are dealt out.
    var rows = Array(0..<rowCount)
    rows.shuffle(using: &generator)
    var assignment = [Int](repeating: 0, count: rowCount)
    for (place, row) in rows.enumerated() { assignment[row] = place % count }
    (self.assignment, self.count) = (assignment, count)
  }

  /// Random folds that keep the rows of a group together, such as the repeated rows of one person or
  /// the transitions of one trajectory.
  ///
  /// Groups are dealt out in random order, each to the fold with the fewest rows.
  ///
  /// - Parameters:
  ///   - count: K ≥ 2.
  ///   - groups: The group of every row.
  public init(
    _ count: Int, ofGroups groups: [Int], using generator: inout PhiloxGenerator
  ) throws(SolverError) {
    guard count >= 2 else { stop("Folds", "expected at least 2 folds, found \(count)") }
    var sizes: [Int: Int] = [:]
    for group in groups { sizes[group, default: 0] += 1 }
    guard sizes.count >= count else {
      throw .function(
        OrthogonalError.fewerUnitsThanFolds(
          unitCount: sizes.count, foldCount: count, areGroups: sizes.count < groups.count))
    }
    var ids = sizes.keys.sorted()
    ids.shuffle(using: &generator)
    var (foldOfGroup, load): ([Int: Int], [Int]) = ([:], Array(repeating: 0, count: count))
    for id in ids {
      let fold = load.indices.min { load[$0] < load[$1] } ?? 0
      foldOfGroup[id] = fold
      load[fold] += sizes[id] ?? 0
    }
    assignment = groups.map { foldOfGroup[$0] ?? 0 }
    self.count = count
  }

  /// The rows of a fold, an `int32` tensor in the order of the sample.
  public func held(_ fold: Int) -> Tensor { rows { $0 == fold } }

  /// The rows of all other folds.
  public func training(_ fold: Int) -> Tensor { rows { $0 != fold } }

  /// Refuses groups with rows in different folds.
  func requireWhole(_ groups: [Int]) throws(SolverError) {
    var foldOfGroup: [Int: Int] = [:]
    for (group, fold) in zip(groups, assignment) {
      guard foldOfGroup[group, default: fold] == fold else {
        throw .function(OrthogonalError.dividedGroup(group: group))
      }
      foldOfGroup[group] = fold
    }
  }

  /// Refuses rows that are the same numbers but in different folds.
  func requireApart(_ rows: Tensor) throws(SolverError) {
    let pairs = rows.repeatedRows.filter { assignment[$0.first] != assignment[$0.second] }
    if let pair = pairs.first {
      throw .function(
        OrthogonalError.duplicatedRows(count: pairs.count, first: pair.0, second: pair.1))
    }
  }

  private func rows(_ isChosen: (Int) -> Bool) -> Tensor {
    Tensor(indices: assignment.indices.filter { isChosen(assignment[$0]) })
  }
}

extension Tensor {
  /// Puts the rows of parts back to where they came from.
  ///
  /// - Parameters:
  ///   - parts: Tensors with rows on the first axis.
  ///   - indices: Where the rows of every part go, together each row once.
  package static func reassembled(_ parts: [Tensor], at indices: [Tensor]) -> Tensor {
    let order = indices.flatMap { $0.scalars.map { Int($0) } }
    var inverse = [Int](repeating: 0, count: order.count)
    for (place, row) in order.enumerated() { inverse[row] = place }
    return Tensor.concatenated(parts, alongAxis: 0).gathering(
      Tensor(indices: inverse), alongAxis: 0)
  }
}
