import ArgumentParser
import ExampleSupport
import HyperparameterProblems
import TensorFiles

/// Where the data come from: files, a simulation, or else the data compiled into the program.
struct DataOptions: ParsableArguments {
  @Option(
    help: .value(
      "file",
      "A data file: CSV if its name ends with .csv, else in the LIBSVM text format; either may be "
        + "compressed by gzip, and come from /dev/stdin."))
  var data: String?

  @Option(
    help: .value(
      "file", "A second file with the validation rows; a part of --data if not given."))
  var validation: String?

  @Option(help: "The share of --data, or of the bundled mpg data, that is kept for validation.")
  var validationFraction = 0.3

  @Option(
    help: .value(
      "column",
      "The column of a CSV file with the labels; the first if not given. For 'logistic' it may hold "
        + "two texts."))
  var label: String?

  @Flag(
    help: """
      Drop rows of a LIBSVM file that omit a feature, as published experiments do; otherwise what is \
      omitted is zero. The bundled data are read so.
      """)
  var dropOmitted = false

  @Option(
    help: .value(
      "texts",
      "Texts that stand for a missing value in a CSV file, comma-separated, beside the empty field, "
        + "NA, nan in any spelling, #N/A and a dot; rows with a missing value are dropped."))
  var missing: String?

  @Option(
    help: .value("character", "The delimiter of CSV files; that of the header if not given."))
  var delimiter: String?

  @Option(
    help: .value(
      "rows x features",
      "Simulate data with this many training rows and features, such as 600x100."))
  var simulate: String?

  @Option(help: "The correlation of neighbouring features in a simulation.")
  var correlation = 0.5

  @Option(help: "Let the spectrum of simulated features decay as i^(-2·decay) instead.")
  var decay: Double?

  @Option(help: "The seed of the simulation and of the choice of validation rows.")
  var dataSeed: UInt64 = 1

  func validate() throws {
    try requireShare(("--validation-fraction", validationFraction))
    try requireRange(("--decay", decay, 0...10))
    let isTable = data.map { DataFileOptions.isTable($0) || TextFile.isStream($0) } ?? false
    for (isWrong, message) in [
      (
        data != nil && simulate != nil,
        "--data and --simulate exclude each other; give one of them"
      ),
      (
        label != nil && !isTable,
        "--label names a column of a CSV file, and other data have no column names; leave it out"
      ),
      (
        delimiter.map { CSVFormat.standard.delimiter($0) == nil } ?? false,
        "--delimiter must be one ASCII character, such as ';' (or 'tab'), not '\(delimiter ?? "")'"
      ),
      (
        validation != nil && data == nil,
        "--validation needs the training rows too; add --data FILE"
      ),
      (
        !(correlation >= 0 && correlation < 1),
        "--correlation must be at least 0 and below 1, not \(correlation)"
      ),
      (
        simulate == nil && decay != nil,
        "--decay describes a simulation; add --simulate, such as 600x100"
      ),
    ] where isWrong {
      throw ValidationError(message)
    }
    _ = try simulate.map(Self.sizes)
  }

  /// The training and validation rows for a loss.
  ///
  /// - Parameters:
  ///   - holdsOut: Whether rows are kept for validation where no file has them; otherwise all rows are for
  ///     training, and the validation rows are the same.
  ///   - work: What the work on the rows takes.
  func split(for loss: RowLoss, holdsOut: Bool, work: WorkSize = .comparison) throws -> DataSplit {
    if let simulate {
      let (rows, features) = try Self.sizes(simulate)
      try work.requireMemory(training: rows, others: rows, features: features)
      let design = SimulatedData(
        rows: rows, validationRows: rows, features: features, correlation: correlation,
        decay: decay)
      return try design.sample(for: loss, seed: dataSeed)
    }
    guard let data else {
      return switch loss {
      case .logistic: try BundledData.liver()
      case .squared: try parts(BundledData.mpg(), holdsOut)
      }
    }
    let options = fileOptions(loss)
    let rows = try read(data, options, matching: nil)
    let training = loss == .logistic ? try rows.withSignLabels() : rows
    let split: DataSplit
    if let validation {
      let others = try read(validation, options, matching: rows)
      split = try DataSplit(
        training: training,
        validation: loss == .logistic
          ? try others.withSignLabels(classes: training.notes.classNames) : others)
    } else {
      split = try parts(training, holdsOut)
    }
    let counts = (split.training.rowCount, split.validation.rowCount)
    try work.requireMemory(
      training: counts.0, others: counts.1, features: split.training.featureCount)
    guard counts.0 >= 5, counts.1 >= 2 else {
      throw ProblemError.tooFewParts(source: data, training: counts.0, validation: counts.1)
    }
    return split
  }

  private func fileOptions(_ loss: RowLoss) -> DataFileOptions {
    var format = CSVFormat.standard
    if let delimiter, let scalar = format.delimiter(delimiter) { format.delimiter = scalar }
    format.missingTokens += missing?.split(separator: ",").map(String.init) ?? []
    return DataFileOptions(
      dropsOmitted: dropOmitted, labelColumn: label, allowsTextLabels: loss == .logistic,
      format: format)
  }

  /// Reads a file; what the reader advises is put in terms of options.
  private func read(
    _ path: String, _ options: DataFileOptions, matching training: LabeledData?
  ) throws -> LabeledData {
    do {
      return try LabeledData(contentsOfFile: path, options: options, matching: training)
    } catch let error as FileError {
      let text = "\(error)"
        .replacing(
          "or leave it empty if the value is missing",
          with: "leave it empty, or name it in --missing"
        )
        .replacing(
          "another delimiter was stated", with: "has another delimiter; correct --delimiter")
      throw DataFileError(description: text)
    }
  }

  private func parts(_ rows: LabeledData, _ holdsOut: Bool) throws(ProblemError) -> DataSplit {
    holdsOut
      ? try rows.split(validationFraction: validationFraction, seed: dataSeed)
      : try DataSplit(training: rows, validation: rows)
  }

  /// The numbers in a text such as `600x100`.
  private static func sizes(_ text: String) throws -> (rows: Int, features: Int) {
    let parts = text.lowercased().split { $0 == "x" || $0 == "×" }.map { Int($0) }
    guard parts.count == 2, let rows = parts[0], let features = parts[1],
      (2...10_000_000).contains(rows), (1...10_000).contains(features),
      rows * features <= 1 << 28
    else {
      throw ValidationError(
        "--simulate must be rows x features, such as 600x100, with at most 10000 features and "
          + "268435456 numbers, not '\(text)'")
    }
    return (rows, features)
  }
}

/// What work on rows takes of memory at most, in bytes, by measurement.
struct WorkSize {
  /// For a number of the data: it and its copies while they are made, split and standardised, and
  /// products with them.
  let perElement: Double
  /// For a training row: what the steps that are differentiated keep.
  var perTrainingRow = 0.0

  /// Of a comparison of estimators.
  static let comparison = WorkSize(perElement: 25)

  /// Refuses sizes that do not fit, with matrices of features by features.
  func requireMemory(
    training: Int, others: Int, features: Int
  ) throws(NotEnoughMemory) {
    let (n, d) = (Double(training + others), Double(features))
    try NotEnoughMemory.refuse(
      perElement * n * d + perTrainingRow * Double(training) + 50 * d * d,
      for: "a problem of \(Numbers.count(training + others)) rows and \(Numbers.count(features)) "
        + "features")
  }
}

/// A file that cannot be used, in words of the program.
private struct DataFileError: Error, CustomStringConvertible {
  let description: String
}

extension CSVFormat {
  /// The delimiter that a text stands for; nil if there is none.
  fileprivate func delimiter(_ text: String) -> Unicode.Scalar? {
    let scalars = Array((text == "tab" || text == "\\t" ? "\t" : text).unicodeScalars)
    guard scalars.count == 1, scalars[0].isASCII, !"\"\r\n".unicodeScalars.contains(scalars[0])
    else { return nil }
    return scalars[0]
  }
}
