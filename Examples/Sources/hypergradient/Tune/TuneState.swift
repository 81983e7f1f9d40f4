import ExampleSupport
import Foundation

/// What `tune` writes while it runs, to go on from with `--resume`.
struct TuneState: Codable {
  private static let expectedFormat = "hypergradient tune state 2"

  private let format: String
  let settings: TuneSettings
  let loss: String
  let source: String
  let checksum: String
  var runs: [MethodRun]

  init(_ problem: TuneProblem, _ settings: TuneSettings, runs: [MethodRun] = []) {
    format = Self.expectedFormat
    self.settings = settings
    loss = problem.loss.rawValue
    source = problem.data.training.source
    checksum = problem.checksum
    self.runs = runs
  }

  /// Reads a state.
  init(contentsOfFile path: String) throws(TuneError) {
    func unusable(_ reason: String) -> TuneError { .unusableState(path: path, reason: reason) }
    guard FileManager.default.fileExists(atPath: path) else { throw unusable("no such file") }
    let advice = "give the tune-state.json that an earlier run of this version wrote"
    let read: TuneState?
    do {
      read = try readJSON(TuneState.self, from: path)
    } catch {
      throw unusable("it cannot be read")
    }
    guard let state = read else { throw unusable("it is not a state of 'tune'; \(advice)") }
    guard state.format == Self.expectedFormat else {
      throw unusable("expected '\(Self.expectedFormat)', found '\(state.format)'; \(advice)")
    }
    self = state
  }

  /// Makes sure that going on gives what one uninterrupted run would have given.
  ///
  /// - Parameter path: The file, for the message.
  func requireSame(as other: TuneState, path: String) throws(TuneError) {
    func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "none" }
    func list(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: ",") }
    let (mine, theirs) = (settings, other.settings)
    let fields: [(name: String, found: String, wanted: String)] = [
      ("--loss", loss, other.loss),
      ("the data", source, other.source),
      // Same file and other rows: another fraction or seed, or the file was changed.
      ("the rows (checksum)", checksum, other.checksum),
      ("--start", number(mine.start), number(theirs.start)),
      ("--bounds", list(mine.bounds), list(theirs.bounds)),
      ("--optimizer", mine.rule.rawValue, theirs.rule.rawValue),
      ("--learning-rate", number(mine.learningRate), number(theirs.learningRate)),
      ("--tolerance", number(mine.tolerance), number(theirs.tolerance)),
      ("--inner-steps", "\(mine.effort.steps)", "\(theirs.effort.steps)"),
      ("--inner-tolerance", number(mine.effort.tolerance), number(theirs.effort.tolerance)),
      ("--strength", number(mine.effort.strength), number(theirs.effort.strength)),
    ]
    guard let field = fields.first(where: { $0.found != $0.wanted }) else { return }
    throw .unusableState(
      path: path,
      reason: "it belongs to another run: \(field.name) was \(field.found) there and is "
        + "\(field.wanted) now; repeat the options of that run (only --methods, --iterations, "
        + "--output and --json may change)")
  }

  /// The run of a method, if it was begun.
  func run(of method: TuneMethod) -> MethodRun? { runs.first { $0.method == method.name } }
}

/// Writes the state now and then.
struct Checkpoint {
  let path: String
  let interval: Double
  private var last = ContinuousClock.now

  init(path: String, interval: Double) {
    self.path = path
    self.interval = interval
  }

  /// Writes the state if the last time is long enough ago, or in any case.
  mutating func write(_ state: @autoclosure () -> TuneState, now: Bool = false) throws {
    guard now || (ContinuousClock.now - last) / .seconds(1) >= interval else { return }
    try writeJSON(state(), to: path)
    last = .now
  }
}
