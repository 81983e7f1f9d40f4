import ExampleSupport
import SpriteRegression

/// What `dsprites` writes with `--json`.
struct SpriteReport: Encodable {
  /// Of the constant that predicts best.
  let constantError: Double
  /// Where settings come from, and the options that replace them.
  let settings: String
  let methods: [MethodResult]
  /// Every run with its settings, seed, losses and the software under it.
  let runs: [SpriteRun]

  /// The runs of one method.
  struct MethodResult: Encodable {
    let method: SpriteMethod
    let settings: SpriteSettings
    let seeds: [UInt64]
    /// Of the runs that ended, in the order of the seeds.
    let outOfSampleErrors: [Double]
    let outOfSampleError: Distribution?
    /// Medians after the last iteration.
    let outerLoss: Double?
    let innerLoss: Double?
    let secondsPerIteration: Double?
    /// The largest.
    let peakMemoryBytes: Int?
    /// Why runs failed, by seed.
    let failures: [String: String]

    init(_ method: SpriteMethod, _ settings: SpriteSettings, _ runs: [SpriteRun]) {
      let ended = runs.filter { $0.failure == nil }
      self.method = method
      self.settings = settings
      seeds = runs.map(\.specification.seed)
      outOfSampleErrors = ended.compactMap(\.outOfSampleError)
      outOfSampleError = Distribution(outOfSampleErrors)
      outerLoss = Distribution(ended.compactMap { $0.losses.last?.outer })?.median
      innerLoss = Distribution(ended.compactMap { $0.losses.last?.inner })?.median
      secondsPerIteration = Distribution(runs.compactMap(\.secondsPerIteration))?.median
      peakMemoryBytes = runs.compactMap(\.peakMemoryBytes).max()
      failures = Dictionary(
        uniqueKeysWithValues: runs.compactMap { run in
          run.failure.map { ("\(run.specification.seed)", $0) }
        })
    }
  }

  init(_ runs: [SpriteRun], settings: String) {
    self.runs = runs
    self.settings = settings
    constantError = runs.first?.constantError ?? .nan
    methods = SpriteMethod.allCases.compactMap { method in
      let own = runs.filter { $0.specification.method == method }
      return own.first.map { MethodResult(method, $0.specification.settings, own) }
    }
  }
}
