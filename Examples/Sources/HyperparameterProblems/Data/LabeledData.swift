import Autodiff

/// Rows of features with a label each.
public struct LabeledData: Sendable {
  /// Where the data come from, for messages and reports.
  public let source: String

  /// The features [N, n].
  public let features: Tensor

  /// The labels [N].
  public let labels: Tensor

  /// The names of the features, or nil where they have none.
  public let featureNames: [String]?

  /// What else is known of the data.
  public let notes: DataNotes

  /// Creates a data set.
  ///
  /// - Precondition: One label to a row of features.
  public init(
    source: String, features: Tensor, labels: Tensor, featureNames: [String]? = nil,
    notes: DataNotes = DataNotes()
  ) {
    guard features.rank == 2, labels.shape == [features.shape[0]] else {
      fatalError(
        "LabeledData: features of shape \(features.shape) and labels of shape \(labels.shape); "
          + "expected [N, n] and [N]")
    }
    (self.source, self.features, self.labels) = (source, features, labels)
    (self.featureNames, self.notes) = (featureNames, notes)
  }

  /// Other numbers of the same origin.
  func replacing(
    features: Tensor? = nil, labels: Tensor? = nil, notes: DataNotes? = nil
  ) -> LabeledData {
    LabeledData(
      source: source, features: features ?? self.features, labels: labels ?? self.labels,
      featureNames: featureNames, notes: notes ?? self.notes)
  }

  /// The name of a feature, or else its number.
  public func name(ofFeature index: Int) -> String {
    featureNames?[index] ?? "feature \(index + 1)"
  }

  /// The names of features with one value in all rows.
  public var constantFeatures: [String] {
    let (low, high) = (features.min(alongAxis: 0).scalars, features.max(alongAxis: 0).scalars)
    return low.indices.filter { low[$0] == high[$0] }.map(name)
  }

  /// N, the number of rows.
  public var rowCount: Int { features.shape[0] }

  /// n, the number of features.
  public var featureCount: Int { features.shape[1] }

  /// The data in a scalar type.
  public func cast(to type: ScalarType) -> LabeledData {
    replacing(features: features.cast(to: type), labels: labels.cast(to: type))
  }

  /// Some of the rows, in the order of `rows`.
  public func selecting(rows: [Int]) -> LabeledData {
    let indices = Tensor(indices: rows)
    return replacing(
      features: features.gathering(indices, alongAxis: 0),
      labels: labels.gathering(indices, alongAxis: 0))
  }

  /// The same rows with labels -1 and 1 for the first and the second of two classes.
  ///
  /// - Parameter classes: The names of the classes; nil for those of the rows, the smaller number
  ///   or the first text first.
  /// - Throws: `ProblemError.notTwoClasses` or `ProblemError.unknownClass`.
  public func withSignLabels(classes: [String]? = nil) throws(ProblemError) -> LabeledData {
    let values = labels.scalars
    let found = Set(values).sorted().map(notes.className)
    let names = classes ?? found
    guard names.count == 2 else { throw .notTwoClasses(source: source, found: found) }
    if let other = found.first(where: { !names.contains($0) }) {
      throw .unknownClass(source: source, found: other, expected: names)
    }
    var signed = notes
    signed.classNames = names
    return replacing(
      labels: Tensor(values.map { notes.className($0) == names[0] ? -1 : 1 }), notes: signed)
  }

  /// Training and validation rows: a random part, chosen by a seed, for validation.
  ///
  /// - Parameters:
  ///   - fraction: The share of the rows for validation, rounded to at least one row on each side.
  ///   - seed: The seed of the permutation.
  /// - Precondition: `fraction` is between 0 and 1.
  /// - Throws: `ProblemError.tooFewRows` for fewer than two rows.
  public func split(
    validationFraction fraction: Double, seed: UInt64
  ) throws(ProblemError) -> DataSplit {
    guard rowCount >= 2 else { throw .tooFewRows(source: source, rows: rowCount, needed: 2) }
    var generator = PhiloxGenerator(seed: seed, stream: 7)
    let order = Tensor.permutation(rowCount, using: &generator).scalars.map { Int($0) }
    let wanted = Int((fraction * Double(rowCount)).rounded())
    let count = min(max(1, wanted), rowCount - 1)
    // In the order of the file, so that only the choice of rows is random.
    return try DataSplit(
      training: selecting(rows: order.dropFirst(count).sorted()),
      validation: selecting(rows: order.prefix(count).sorted()))
  }
}

/// Training rows for the inner problem and validation rows for the outer one.
public struct DataSplit: Sendable {
  /// The rows the inner problem fits.
  public let training: LabeledData

  /// The rows the outer objective is measured on.
  public let validation: LabeledData

  /// Creates a split.
  ///
  /// - Throws: `ProblemError.differentFeatures`.
  public init(training: LabeledData, validation: LabeledData) throws(ProblemError) {
    guard training.featureCount == validation.featureCount else {
      throw .differentFeatures(
        training: training.source, count: training.featureCount, validation: validation.source,
        otherCount: validation.featureCount)
    }
    (self.training, self.validation) = (training, validation)
  }

  /// The split with every feature shifted and scaled to mean 0 and standard deviation 1.
  ///
  /// Mean and deviation are those of the training rows, for the validation rows too. A feature that
  /// is constant in training becomes 0.
  ///
  /// - Parameter centersLabels: Whether labels are shifted to mean 0 over the training rows.
  public func standardized(centersLabels: Bool) -> DataSplit {
    let mean = training.features.mean(alongAxis: 0)
    let deviation = sqrt(square(training.features - mean).mean(alongAxis: 0))
    // Rounding leaves a constant feature a deviation of its own size times 10⁻¹⁶.
    let isConstant = deviation .<= 1e-12 * abs(mean)
    let factor = reciprocal(deviation).zeroed(where: isConstant)
    let center = centersLabels ? training.labels.mean() : Tensor(0, like: training.labels)
    func apply(_ data: LabeledData) -> LabeledData {
      data.replacing(
        features: (data.features - mean) * factor, labels: data.labels - center)
    }
    return DataSplit(checkedTraining: apply(training), validation: apply(validation))
  }

  private init(checkedTraining training: LabeledData, validation: LabeledData) {
    (self.training, self.validation) = (training, validation)
  }
}

/// What is known of a data set beside its numbers, for messages and reports.
public struct DataNotes: Sendable, Equatable {
  /// The name of the column with the labels; nil where columns have no names.
  public var labelName: String?

  /// The names of the classes 0, 1, … of labels that were text, or of -1 and 1; nil for numbers.
  public var classNames: [String]?

  /// The rows that were dropped in reading; nil if none were.
  public var dropped: DroppedRows?

  /// Creates notes.
  public init(
    labelName: String? = nil, classNames: [String]? = nil, dropped: DroppedRows? = nil
  ) {
    (self.labelName, self.classNames, self.dropped) = (labelName, classNames, dropped)
  }

  /// The name of the class that a label stands for.
  func className(_ label: Double) -> String {
    if let classNames, let index = Int(exactly: label), classNames.indices.contains(index) {
      return classNames[index]
    }
    return Int(exactly: label).map { "\($0)" } ?? "\(label)"
  }
}

/// Rows of a file that were dropped because they are not complete.
public struct DroppedRows: Sendable, Equatable, Encodable, CustomStringConvertible {
  /// Why rows were dropped.
  public enum Reason: String, Sendable, Encodable {
    /// A LIBSVM row does not list every feature.
    case omitted = "a feature is omitted"
    /// A field of a CSV row is empty.
    case missing = "a value is missing"
  }

  /// The file.
  public let source: String

  /// The rows of the file.
  public let rows: Int

  /// Those that were dropped.
  public let dropped: Int

  /// Why.
  public let reason: Reason

  /// Notes of dropped rows; nil if there are none.
  public init?(source: String, rows: Int, kept: Int, reason: Reason) {
    guard kept < rows else { return nil }
    (self.source, self.rows) = (source, rows)
    dropped = rows - kept
    self.reason = reason
  }

  public var description: String {
    "\(source): \(dropped) of \(rows) rows dropped: \(reason.rawValue)"
  }
}
