import Autodiff
import Dispatch
import Synchronization
import TestSupport
import Testing

@Suite("The thread pool") struct ThreadPoolTests {
  /// How often each index was visited, and the chunks in the order of their starts.
  ///
  /// Needs no lock, as chunks touch different elements: a lock would hide races of the pool.
  func visit(count: Int, grain: Int) -> (visits: [Int], chunks: [Range<Int>]) {
    var visits = [Int](repeating: 0, count: count)
    var lengths = [Int](repeating: 0, count: count)
    visits.withUnsafeMutableBufferPointer { visits in
      lengths.withUnsafeMutableBufferPointer { lengths in
        let visits = visits
        let lengths = lengths
        parallelFor(count: count, grain: grain) { range in
          for i in range { visits[i] += 1 }
          lengths[range.lowerBound] += range.count
        }
      }
    }
    let chunks = lengths.enumerated().filter { $0.element > 0 }
    return (visits, chunks.map { $0.offset..<($0.offset + $0.element) })
  }

  @Test("Every index once in the same chunks", arguments: [1, 2, 3, 8])
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

  @Test("Many loops in a row") func manyLoopsInARow() {
    withThreadCount(4) {
      for round in 0..<5000 {
        let total = Atomic<Int>(0)
        parallelFor(count: 16, grain: 1) { total.add($0.lowerBound + round, ordering: .relaxed) }
        let sum = total.load(ordering: .relaxed)
        #expect(sum == 120 + 16 * round)
      }
    }
  }

  @Test("Second thread takes part") func secondThreadTakesPart() {
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

  @Test("Nested loops run serially") func nestedLoopsRunSerially() {
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

  @Test("Concurrent callers") func concurrentCallers() {
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

  @Test("Thread count is set") func threadCountIsSet() {
    withThreadCount(5) { #expect(Parallelism.threadCount == 5) }
    #expect(Parallelism.threadCount >= 1)
  }

  @Test("Thread count must be positive") func threadCountMustBePositive() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Parallelism.threadCount = 0
    }
    let message = errorText(result)
    #expect(message.contains("Parallelism.threadCount must be at least 1, not 0"))
  }
}
