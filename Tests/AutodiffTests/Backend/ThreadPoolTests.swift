import Autodiff
import Dispatch
import Synchronization
import Testing

@Suite struct ThreadPoolTests {
  /// How often each index was visited, and the chunks in the order of their starts.
  func visit(count: Int, grain: Int) -> (visits: [Int], chunks: [Range<Int>]) {
    let chunks = Mutex<[Range<Int>]>([])
    var visits = [Int](repeating: 0, count: count)
    visits.withUnsafeMutableBufferPointer { visits in
      nonisolated(unsafe) let visits = visits
      parallelFor(count: count, grain: grain) { range in
        for i in range { visits[i] += 1 }
        chunks.withLock { $0.append(range) }
      }
    }
    return (visits, chunks.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } })
  }

  @Test(arguments: [1, 2, 3, 8])
  func everyIndexOnceInTheSameChunks(threads: Int) {
    withThreadCount(threads) {
      for (count, grain) in [(0, 1), (1, 1), (7, 10), (10, 10), (11, 10), (1000, 1), (12345, 100)] {
        let (visits, chunks) = visit(count: count, grain: grain)
        #expect(visits.allSatisfy { $0 == 1 })
        let expected = stride(from: 0, to: count, by: grain).map { $0..<min($0 + grain, count) }
        #expect(chunks == expected)
      }
    }
  }

  @Test func manyLoopsInARow() {
    withThreadCount(4) {
      for round in 0..<5000 {
        let total = Atomic<Int>(0)
        parallelFor(count: 16, grain: 1) { total.add($0.lowerBound + round, ordering: .relaxed) }
        let sum = total.load(ordering: .relaxed)
        #expect(sum == 120 + 16 * round)
      }
    }
  }

  @Test func secondThreadTakesPart() {
    withThreadCount(2) {
      let inside = Atomic<Int>(0)
      let met = Atomic<Bool>(false)
      // Each chunk waits for the other, which only ends early with two threads.
      parallelFor(count: 2, grain: 1) { _ in
        inside.add(1, ordering: .sequentiallyConsistent)
        var attempts = 0
        while attempts < 100_000_000, !met.load(ordering: .relaxed) {
          if inside.load(ordering: .sequentiallyConsistent) == 2 {
            met.store(true, ordering: .relaxed)
          }
          attempts += 1
        }
      }
      let bothRan = met.load(ordering: .relaxed)
      #expect(bothRan)
    }
  }

  @Test func nestedLoopsRunSerially() {
    withThreadCount(3) {
      let total = Atomic<Int>(0)
      parallelFor(count: 20, grain: 1) { _ in
        var next = 0
        parallelFor(count: 30, grain: 7) { range in
          #expect(range.lowerBound == next)
          next = range.upperBound
          total.add(range.count, ordering: .relaxed)
        }
        #expect(next == 30)
      }
      let sum = total.load(ordering: .relaxed)
      #expect(sum == 600)
    }
  }

  @Test func concurrentCallers() {
    let failures = Atomic<Int>(0)
    withThreadCount(3) {
      DispatchQueue.concurrentPerform(iterations: 8) { _ in
        for _ in 0..<200 where !visit(count: 1000, grain: 50).visits.allSatisfy({ $0 == 1 }) {
          failures.add(1, ordering: .relaxed)
        }
      }
    }
    let count = failures.load(ordering: .relaxed)
    #expect(count == 0)
  }

  @Test func threadCountIsSet() {
    withThreadCount(5) { #expect(Parallelism.threadCount == 5) }
    #expect(Parallelism.threadCount >= 1)
  }

  @Test func threadCountMustBePositive() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Parallelism.threadCount = 0
    }
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.contains("Parallelism.threadCount must be at least 1, not 0"))
  }
}
