import Autodiff
import Neural
import TestSupport
import Testing

@Suite("Batches")
struct BatchesTests {
  @Test("Every index appears once, in batches of the asked size", arguments: [1, 3, 10, 64])
  func coverage(_ batchSize: Int) {
    var generator = PhiloxGenerator(seed: 1)
    let batches = Batches(count: 10, batchSize: batchSize, shuffledUsing: &generator)
    let indices = batches.flatMap { $0.scalars }
    #expect(indices.sorted() == (0..<10).map(Double.init))
    #expect(batches.count == (10 + batchSize - 1) / batchSize)
    #expect(batches.dropLast().allSatisfy { $0.elementCount == batchSize })
    #expect(batches.allSatisfy { $0.scalarType == .int32 && $0.rank == 1 })
  }

  @Test("A last batch that is not full can be dropped")
  func dropping() {
    var generator = PhiloxGenerator(seed: 1)
    func sizes(_ count: Int, _ batchSize: Int) -> [Int] {
      Batches(
        count: count, batchSize: batchSize, shuffledUsing: &generator, dropsLast: true
      ).map(\.elementCount)
    }
    #expect(sizes(10, 3) == [3, 3, 3])
    #expect(sizes(9, 3) == [3, 3, 3])
    #expect(sizes(2, 3) == [])
    #expect(sizes(0, 3) == [])
    #expect(Batches(count: 0, batchSize: 3).isEmpty)
  }

  @Test("The order is random, repeats within a value, and is determined by the seed")
  func order() {
    var generator = PhiloxGenerator(seed: 5)
    let first = Batches(count: 100, batchSize: 7, shuffledUsing: &generator)
    let second = Batches(count: 100, batchSize: 7, shuffledUsing: &generator)
    generator = PhiloxGenerator(seed: 5)
    let again = Batches(count: 100, batchSize: 7, shuffledUsing: &generator)
    let order = first.flatMap { $0.scalars }
    #expect(order == first.flatMap { $0.scalars })
    #expect(order == again.flatMap { $0.scalars })
    #expect(order != second.flatMap { $0.scalars })
    #expect(order != order.sorted())
  }

  @Test("Without a generator rows come in their own order")
  func unshuffled() {
    let batches = Batches(count: 5, batchSize: 2)
    #expect(batches.map(\.scalars) == [[0, 1], [2, 3], [4]])
    #expect(Batches(count: 5, batchSize: 2, dropsLast: true).map(\.scalars) == [[0, 1], [2, 3]])
  }

  @Test("Indices gather rows, and the pass trains on every row")
  func gathering() {
    let x = Tensor((0..<10).map { Double($0 * $0) }, shape: [5, 2])
    var generator = PhiloxGenerator(seed: 2)
    var sum = 0.0
    for indices in Batches(count: 5, batchSize: 2, shuffledUsing: &generator) {
      sum += x.gathering(indices, alongAxis: 0).sum().scalar
    }
    #expect(sum == 285)
  }

  @Test("Refuses an empty batch and a batch that does not exist")
  func refusals() async {
    let size = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Batches(count: 5, batchSize: 0)
    }
    expectMessage(size, "Batches: expected a batch size above 0, found 0")
    let position = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Batches(count: 5, batchSize: 2)[3]
    }
    expectMessage(position, "Batches: batch 3 does not exist, there are 3")
  }
}
