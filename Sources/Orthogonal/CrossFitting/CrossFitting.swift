import Autodiff
import Solvers

/// How a sample is split for cross-fitting.
public struct CrossFitting: Sendable {
  /// K, the number of folds.
  public var foldCount: Int
  /// How many independent splits are made; their estimates are aggregated by the median.
  public var repeatCount: Int
  /// Of the splits and of what nuisance learners draw.
  public var seed: UInt64
  /// Given splits instead of random ones, one for each repeat.
  public var folds: [Folds]?
  /// What is done about noise that nuisances share.
  ///
  /// It is for quadratic losses: others, and `OBiGrad` on two samples, have no correction, and only an
  /// affine problem of one sample has `.split`.
  public var sharedNoise = SharedNoise.corrected
  /// Whether rows that are the same in all columns may be in different folds.
  ///
  /// A repeated row in training and held-out fold is no independent evidence, so it is refused
  /// unless this says that the repetitions are separate observations, as in data of few values.
  public var allowsDuplicates = false

  /// So many splits into so many folds, drawn from the seed or given.
  ///
  /// - Precondition: At least two folds and one repeat.
  public init(
    foldCount: Int = 10, repeatCount: Int = 1, seed: UInt64 = 0, folds: [Folds]? = nil
  ) {
    guard foldCount >= 2, repeatCount >= 1, folds?.isEmpty != true else {
      stop(
        "CrossFitting",
        "expected at least 2 folds and 1 repeat, found \(foldCount) and \(repeatCount)")
    }
    self.foldCount = foldCount
    self.repeatCount = folds?.count ?? repeatCount
    self.seed = seed
    self.folds = folds
  }

  /// The same with another treatment of noise that nuisances share.
  public func with(sharedNoise: SharedNoise) -> CrossFitting {
    var other = self
    other.sharedNoise = sharedNoise
    return other
  }

  /// The generator of a repeat.
  package func generator(_ repetition: Int) -> PhiloxGenerator {
    PhiloxGenerator(seed: seed).split(key: UInt64(repetition))
  }

  /// Stops where nuisances were to be split in a problem that does not.
  package func requireNoSplit(_ operation: String, _ problem: String) {
    guard sharedNoise != .split else {
      stop(
        operation,
        "sharedNoise is .split, which \(problem) do not have; leave .corrected or set .kept")
    }
  }

  /// The folds of a repeat.
  package func folds(
    ofRows count: Int, groups: [Int]?, _ repetition: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) -> Folds {
    if let given = folds?[repetition] {
      guard given.assignment.count == count else {
        throw .function(
          OrthogonalError.wrongRowCount(
            what: "folds", found: given.assignment.count, expected: count))
      }
      if let groups, !allowsDuplicates { try given.requireWhole(groups) }
      return given
    }
    if let groups { return try Folds(foldCount, ofGroups: groups, using: &generator) }
    return try Folds(foldCount, ofRows: count, using: &generator)
  }
}

extension CrossFitting: CustomStringConvertible {
  public var description: String {
    let repeats = repeatCount == 1 ? "" : ", \(repeatCount) repeats (median)"
    return "\(folds?.first?.count ?? foldCount) folds\(repeats)"
  }
}
