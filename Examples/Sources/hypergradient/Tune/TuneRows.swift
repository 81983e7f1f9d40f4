import Autodiff
import HyperparameterProblems

/// The rows that `tune` works on: for training, for validation and, where there are enough, for a
/// test.
struct TuneRows {
  let split: DataSplit
  /// Rows that neither training nor tuning sees; nil if there are none.
  let test: LabeledData?

  /// Reads the rows, and standardises features by those for training if asked to.
  ///
  /// - Parameters:
  ///   - testFraction: The share of the rows kept for validation that goes to the test.
  ///   - work: What tuning on them takes.
  init(
    _ options: DataOptions, loss: RowLoss, testFraction: Double, standardizes: Bool, work: WorkSize
  ) throws {
    var split = try options.split(for: loss, holdsOut: true, work: work)
    let isBundled = options.data == nil && options.simulate == nil
    if isBundled, loss == .logistic, standardizes {
      // The first file of the liver data is scaled, the second is in the units of the laboratory, and
      // the map between them is lost. Standardised each by itself, both are on one scale.
      split = try DataSplit(
        training: Self.standardized(split.training), validation: Self.standardized(split.validation)
      )
    }
    var test: LabeledData?
    // Fewer than four rows cannot be divided into two parts that say anything.
    if testFraction > 0, split.validation.rowCount >= 4 {
      let parts = try split.validation.split(
        validationFraction: testFraction, seed: options.dataSeed)
      test = parts.validation
      split = try DataSplit(training: split.training, validation: parts.training)
    }
    guard standardizes else {
      (self.split, self.test) = (split, test)
      return
    }
    let centersLabels = loss == .squared
    self.split = split.standardized(centersLabels: centersLabels)
    self.test = try test.map {
      try DataSplit(training: split.training, validation: $0)
        .standardized(centersLabels: centersLabels).validation
    }
  }

  /// The rows with features standardised by themselves.
  private static func standardized(_ rows: LabeledData) throws -> LabeledData {
    try DataSplit(training: rows, validation: rows).standardized(centersLabels: false).training
  }
}
