/// Repeated timing of one piece of work.
struct Timing: Encodable {
  /// Seconds per run, the quickest batch and the median one.
  let best: Double
  let median: Double
  let runs: Int

  /// Runs `body` for about `seconds` after a warm-up, in batches long enough for the clock.
  ///
  /// - Parameter operations: How many operations a run counts as; times are per operation.
  init(seconds: Double, operations: Int = 1, _ body: () throws -> Void) throws {
    let clock = ContinuousClock()
    func time(_ count: Int) throws -> Double {
      let duration = try clock.measure { for _ in 0..<count { try body() } }
      return duration / .seconds(1)
    }
    // Warm-up: caches, buffer pool, clock speed.
    var batch = 1
    var elapsed = try time(1)
    while elapsed < 0.02 {
      batch *= 2
      elapsed = try time(batch)
    }
    var perRun: [Double] = []
    var total = 0.0
    while total < seconds || perRun.count < 5 {
      let batchTime = try time(batch)
      total += batchTime
      perRun.append(batchTime / Double(batch))
    }
    perRun.sort()
    best = (perRun.first ?? .nan) / Double(operations)
    median = perRun[perRun.count / 2] / Double(operations)
    runs = perRun.count * batch
  }
}
