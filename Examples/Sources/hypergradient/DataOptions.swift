import ArgumentParser
import HyperparameterProblems

/// Where the data come from: files, a simulation, or else the data compiled into the program.
struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A data file: CSV if its name ends with .csv, else in the LIBSVM text format.",
      valueName: "file"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "A second file with the validation rows; a part of --data if not given.", valueName: "file"))
  var validation: String?

  @Option(help: "The share of --data, or of the bundled mpg data, that is kept for validation.")
  var validationFraction = 0.3

  @Option(
    help: ArgumentHelp(
      "The column of a CSV file with the labels; the first if not given.", valueName: "column"))
  var label: String?

  @Flag(help: "Read features that a LIBSVM file omits as zeros, rather than drop the rows.")
  var keepOmitted = false

  @Option(
    help: ArgumentHelp(
      "Simulate data with this many training rows and features, such as 600x100.",
      valueName: "rows x features"))
  var simulate: String?

  @Option(help: "The correlation of neighbouring features in a simulation.")
  var correlation = 0.5

  @Option(help: "Let the spectrum of simulated features decay as i^(-2·decay) instead.")
  var decay: Double?

  @Option(help: "The seed of the simulation and of the choice of validation rows.")
  var dataSeed: UInt64 = 1

  /// The files that are read.
  var files: [String] { [data, validation].compactMap { $0 } }

  func validate() throws {
    if data != nil, simulate != nil {
      throw ValidationError("--data and --simulate exclude each other; give one of them")
    }
    if validation != nil, data == nil {
      throw ValidationError("--validation needs the training rows too; add --data FILE")
    }
    guard validationFraction > 0, validationFraction < 1 else {
      throw ValidationError(
        "--validation-fraction must be between 0 and 1, both excluded, not \(validationFraction)")
    }
    guard correlation >= 0, correlation < 1 else {
      throw ValidationError("--correlation must be at least 0 and below 1, not \(correlation)")
    }
    if let decay, !(decay >= 0 && decay <= 10) {
      throw ValidationError("--decay must be between 0 and 10, not \(decay)")
    }
    if simulate == nil, decay != nil {
      throw ValidationError("--decay describes a simulation; add --simulate, such as 600x100")
    }
    _ = try simulate.map(Self.sizes)
  }

  /// The training and validation rows for a loss.
  ///
  /// - Parameter holdsOut: Whether rows are kept for validation where no file has them; otherwise
  ///   all rows are for training, and the validation rows are the same.
  func split(for loss: RowLoss, holdsOut: Bool) throws -> DataSplit {
    if let simulate {
      let (rows, features) = try Self.sizes(simulate)
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
    let options = DataFileOptions(readsOmittedAsZero: keepOmitted, labelColumn: label)
    func signed(_ rows: LabeledData) throws -> LabeledData {
      loss == .logistic ? try rows.withSignLabels() : rows
    }
    let rows = try signed(LabeledData(contentsOfFile: data, options: options))
    guard let validation else { return try parts(rows, holdsOut) }
    // The last features may all be zero in the validation rows.
    let others = try signed(
      LabeledData(
        contentsOfFile: validation, options: options, featureCount: rows.featureCount))
    return try DataSplit(training: rows, validation: others)
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
