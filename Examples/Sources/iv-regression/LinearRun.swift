import CExampleData
import Econometrics
import ExampleSupport
import TensorFiles

/// Which columns of which file play which part in a linear regression with instruments.
struct LinearSpecification {
  /// The path of a CSV file; nil for the bundled Card data.
  var data: String?
  var outcome: String
  var endogenous: [String]
  var instruments: [String]
  var exogenous: [String]
  var covariance = CovarianceType.unadjusted
  var addsConstant = true

  /// Card (1995), table 3, column 5: the return to schooling with college proximity as instrument.
  static let card = LinearSpecification(
    outcome: "lwage", endogenous: ["educ"], instruments: ["nearc4"],
    exogenous: ["exper", "expersq", "black", "smsa", "south", "smsa66"]
      + (662...669).map { "reg\($0)" })

  /// Whether this is Card's regression on Card's data, about which more can be said in words.
  var isCard: Bool {
    let card = Self.card
    return data == nil && outcome == card.outcome && endogenous == card.endogenous
      && instruments == card.instruments && exogenous == card.exogenous && addsConstant
  }
}

/// One run of `linear`: reads, estimates, prints and plots.
struct LinearRun {
  let specification: LinearSpecification
  let seed: UInt64

  init(_ specification: LinearSpecification, seed: UInt64) {
    self.specification = specification
    self.seed = seed
  }

  /// Runs, and returns what `--json` writes. The directory is made only once there are results.
  func run(writingTo directory: () throws -> OutputDirectory) throws -> LinearReport {
    let progress = ProgressMeter(label: "linear", total: 3, unit: nil)
    let table = try Self.table(specification.data)
    progress.update(completed: 1, note: "read \(Numbers.count(table.rowCount)) rows")
    let sample = try LinearSample(specification, from: table)
    let result = try TwoStageLeastSquares(sample.model, covariance: specification.covariance)
    progress.update(completed: 2, note: "estimated")
    let report = LinearReport(specification, sample, result, seed: seed)
    let directory = try directory()
    let files = try [
      LinearFiles.writeCoefficients(report, to: directory),
      LinearFiles.writePlot(report, result, to: directory),
    ]
    progress.update(completed: 3, note: "plotted")
    progress.finish()
    print(LinearSummary(specification, report, result).text())
    print("\nWrote \(files.joined(separator: " and "))")
    return report
  }

  /// Runs with a directory that is already there.
  func run(writingTo directory: OutputDirectory) throws -> LinearReport {
    try run(writingTo: { directory })
  }

  static func table(_ path: String?) throws(CSVError) -> CSVTable {
    if let path { return try CSVTable(contentsOfFile: path) }
    var count = 0
    let bytes = example_data_card(&count)
    return try CSVTable(
      parsing: [UInt8](UnsafeBufferPointer(start: bytes, count: count)),
      source: "card.csv (bundled)")
  }
}

/// The rows of a table that have all values the regression uses.
struct LinearSample {
  let model: InstrumentalModel
  let source: String
  let droppedRows: Int

  init(model: InstrumentalModel, source: String, droppedRows: Int) {
    self.model = model
    self.source = source
    self.droppedRows = droppedRows
  }

  init(_ specification: LinearSpecification, from table: CSVTable) throws {
    let names =
      [specification.outcome] + specification.endogenous + specification.instruments
      + specification.exogenous
    var columns: [String: [Double?]] = [:]
    for name in names where columns[name] == nil {
      let values = try table.numbers(name)
      if let row = values.firstIndex(where: { $0?.isFinite == false }) {
        throw InfiniteValue(position: try table.position(row: row, column: name))
      }
      columns[name] = values
    }
    let rows = (0..<table.rowCount).filter { row in
      columns.values.allSatisfy { $0[row] != nil }
    }
    func variable(_ name: String) -> Variable {
      let column = columns[name] ?? []
      return Variable(name: name, values: rows.compactMap { column[$0] })
    }
    source = table.source
    droppedRows = table.rowCount - rows.count
    model = try InstrumentalModel(
      outcome: variable(specification.outcome),
      endogenous: specification.endogenous.map(variable),
      instruments: specification.instruments.map(variable),
      exogenous: specification.exogenous.map(variable),
      addsConstant: specification.addsConstant)
  }
}

/// A field that holds an infinite number, which no regression can use.
struct InfiniteValue: Error, CustomStringConvertible {
  let position: CSVPosition

  var description: String {
    "\(position): the number is infinite; correct the field, or leave it empty to drop the row"
  }
}
