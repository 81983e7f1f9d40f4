import ExampleSupport

extension SpriteReport {
  /// The text for the terminal.
  var text: String {
    guard let run = runs.first?.specification else { return "" }
    let images = run.data.map { "images of \($0.identity)" } ?? "images drawn"
    let heading = """
      Instrumental-variable regression on dSprites
        n                \(Numbers.count(run.size)), halved; \(images); \(run.precision.rawValue)
        Settings         \(settingLines)
        Linear algebra   \(Set(runs.map(\.linearAlgebra)).sorted().joined(separator: "; "))
      """
    return ([heading, table] + [failures].filter { !$0.isEmpty }).joined(separator: "\n\n")
  }

  /// The settings, wrapped beside their heading.
  private var settingLines: String {
    String(wrapped(settings, width: 100, indent: 19).drop { $0 == " " })
  }

  private var table: String {
    var table = TextTable(header: [
      "method", "runs", "median", "quartiles", "min–max", "outer loss", "inner loss",
      "s/iteration", "peak memory",
    ])
    func shown(_ value: Double?, digits: Int = 4) -> String {
      value.map { Numbers.significant($0, digits: digits) } ?? "—"
    }
    func range(_ ends: (Double, Double)?) -> String {
      ends.map { "\(shown($0.0))–\(shown($0.1))" } ?? "—"
    }
    for result in methods {
      let error = result.outOfSampleError
      // One run has no spread.
      let spread = result.outOfSampleErrors.count > 1 ? error : nil
      table.append([
        result.method.title, "\(result.outOfSampleErrors.count)", shown(error?.median),
        range(spread.map { ($0.lowerQuartile, $0.upperQuartile) }),
        range(spread.map { ($0.minimum, $0.maximum) }), shown(result.outerLoss),
        shown(result.innerLoss), shown(result.secondsPerIteration, digits: 3),
        result.peakMemoryBytes.map { "\(Numbers.count($0 / 1_048_576)) MiB" } ?? "—",
      ])
    }
    table.append(["constant", "", shown(constantError)])
    return "Mean squared error against the true function on 588 images without noise\n"
      + table.text() + "\n"
      + wrapped(
        "Losses are medians after the last iteration; the inner loss is of a method's own features, "
          + "so it does not compare methods. Seconds per iteration are the median over runs, peak "
          + "memory is the maximum.", width: 100)
  }

  private var failures: String {
    runs.compactMap { run in
      run.failure.map { reason in
        let text = reason.split(separator: "\n").joined(separator: "\n      ")
        let (method, seed) = (run.specification.method.title, run.specification.seed)
        return "  \(method), seed \(seed), failed after \(run.losses.count) iterations: \(text)"
      }
    }.joined(separator: "\n")
  }
}
