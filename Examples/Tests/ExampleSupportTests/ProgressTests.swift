import ExampleSupport
import Testing

@Suite("Progress") struct ProgressTests {
  /// A meter with a clock that a test sets and an output that it reads.
  private final class Bench {
    var time = 0.0
    var output: [String] = []

    func meter(isTerminal: Bool, total: Int = 200, unit: String? = "step") -> ProgressMeter {
      ProgressMeter(
        label: "deep", total: total, unit: unit, isTerminal: isTerminal, width: 100,
        now: { self.time }, write: { self.output.append($0) })
    }
  }

  @Test("Plain lines appear once per tenth") func plainLinesAppearOncePerTenth() {
    let bench = Bench()
    let meter = bench.meter(isTerminal: false)
    for step in 1...200 {
      bench.time = Double(step) / 50
      meter.update(completed: step, note: "loss \(200 - step)")
    }
    meter.finish()
    #expect(bench.output.count == 10)
    #expect(bench.output[0] == "deep: 20/200 (10 %), 50.0 steps/s, 3.6 s left, loss 180\n")
    #expect(bench.output[9] == "deep: 200/200 (100 %), 50.0 steps/s, took 4.0 s, loss 0\n")
    #expect(bench.output.allSatisfy { !$0.contains("\r") })
  }

  @Test("A terminal has one line redrawn ten times a second")
  func aTerminalHasOneLineRedrawnTenTimesASecond() {
    let bench = Bench()
    let meter = bench.meter(isTerminal: true)
    for step in 1...200 {
      bench.time = Double(step) / 100
      meter.update(completed: step, note: step < 200 ? "a long note" : "done")
    }
    meter.finish()
    #expect(bench.output.count >= 20 && bench.output.count <= 23)
    #expect(bench.output.dropLast().allSatisfy { $0.hasPrefix("\r") && !$0.contains("\n") })
    #expect(bench.output.last == "\n")
    let last = bench.output[bench.output.count - 2]
    #expect(last.contains("████████████████████████ 100 % 200/200"))
    // The shorter text covers the longer one before it.
    #expect(last.hasSuffix(" "))
  }

  @Test("Lines of progress") func lines() {
    let format = ProgressFormat(label: "fit", total: 100_000, unit: "epoch", width: 200)
    #expect(
      format.bar(completed: 50_000, elapsed: 5000, note: "loss 0.1")
        == "fit ████████████░░░░░░░░░░░░ 50 % 50000/100000  10.0 epochs/s  1 h 23 min left  "
        + "loss 0.1")
    #expect(format.plain(completed: 0, elapsed: 0, note: "") == "fit: 0/100000 (0 %)")
    #expect(format.plain(completed: 99_999, elapsed: 1, note: "").contains("(99 %)"))
    #expect(format.plain(completed: 1, elapsed: 1e9, note: "").contains("very long left"))
    let narrow = ProgressFormat(label: "fit", total: 10, unit: "step", width: 40)
    #expect(narrow.bar(completed: 5, elapsed: 1, note: "x").count == 39)
    let empty = ProgressFormat(label: "fit", total: 0, unit: nil, width: 80)
    #expect(empty.plain(completed: 0, elapsed: 1, note: "") == "fit: 0/0 (100 %)")
  }
}
