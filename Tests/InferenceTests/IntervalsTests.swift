import Autodiff
import Inference
import TestSupport
import Testing

@Suite("Intervals") struct IntervalsTests {
  @Test("Pointwise intervals are value ± quantile · error") func pointwise() throws {
    let mean = try sampleMean(Tensor(rows: [[1, 2], [2, 4], [3, 9]]))
    let intervals = mean.intervals(level: 0.95)
    let half = Tensor([
      1.95996398454005386 * (1.0 / 3).squareRoot(), 1.95996398454005386 * (13.0 / 3).squareRoot(),
    ])
    #expect(relativeDifference(intervals.lower, mean.value - half) < 1e-14)
    #expect(relativeDifference(intervals.upper, mean.value + half) < 1e-14)
    #expect(intervals.kind == .pointwise)
    #expect(intervals.level == 0.95)
    #expect(abs(mean.intervals(level: 0.9).criticalValue - 1.64485362695147272) < 1e-14)
  }

  @Test("Simultaneous intervals are wider by the bootstrap quantile") func simultaneous() throws {
    let mean = try sampleMean(normal([100, 4], seed: 1))
    let bootstrap = MultiplierBootstrap(draws: 500, seed: 2)
    let intervals = try mean.simultaneousIntervals(level: 0.9, bootstrap: bootstrap)
    #expect(intervals.kind == .simultaneous)
    let critical = try bootstrap.criticalValue(of: mean, level: 0.9)
    #expect(intervals.criticalValue == critical)
    let width = intervals.upper - intervals.lower
    #expect(relativeDifference(width, 2 * intervals.criticalValue * mean.standardErrors) < 1e-13)
  }

  @Test("Level outside stops") func levelOutsideStops() async {
    await #expect(processExitsWith: .failure) {
      _ = try sampleMean(normal([5, 1], seed: 1)).intervals(level: 95)
    }
    await #expect(processExitsWith: .failure) {
      _ = try sampleMean(normal([5, 1], seed: 1)).intervals(level: .nan)
    }
  }
}
