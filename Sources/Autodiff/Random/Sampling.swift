/// Random integers, permutations and choices.
///
/// All are exact (no modulo bias) and a pure function of (seed, stream, position). Each function says by
/// how much it moves the generator on. Ill-formed arguments stop the program.
extension PhiloxGenerator {
  /// Fills with integers uniform on `range`; moves on by the number of elements.
  package mutating func fillIntegers(
    _ buffer: UnsafeMutableBufferPointer<Int32>, in range: Range<Int32>
  ) {
    guard !range.isEmpty else { fatalError("random integers need a range that is not empty") }
    let width = UInt64(Int64(range.upperBound) - Int64(range.lowerBound))
    let lower = Int64(range.lowerBound)
    fillByPosition(buffer) {
      Int32(truncatingIfNeeded: lower + Int64($0.integer(at: $1, below: width)))
    }
  }

  /// Fills with a random order of the numbers 0 ..< n, n the number of elements; moves on by n.
  package mutating func fillPermutation(_ buffer: UnsafeMutableBufferPointer<Int32>) {
    fillChoice(buffer, from: buffer.count)
  }

  /// Fills with different numbers from 0 ..< n in random order, every ordered selection equally likely.
  ///
  /// Moves on by the number of elements k. Takes O(k) time and memory when k is far below n.
  package mutating func fillChoice(_ buffer: UnsafeMutableBufferPointer<Int32>, from n: Int) {
    let k = buffer.count
    guard n <= Int(Int32.max), k <= n else {
      fatalError("cannot choose \(k) different numbers from \(n)")
    }
    // Fisher–Yates, from the front, on a table that a dictionary stands in for while it is sparse.
    if k > n / 16 {
      var table = (0..<Int32(n)).map { $0 }
      for i in 0..<k {
        table.swapAt(i, i + Int(integer(at: position &+ UInt64(i), below: UInt64(n - i))))
        buffer[i] = table[i]
      }
    } else {
      var moved: [Int: Int32] = [:]
      for i in 0..<k {
        let j = i + Int(integer(at: position &+ UInt64(i), below: UInt64(n - i)))
        buffer[i] = moved[j] ?? Int32(j)
        moved[j] = moved[i] ?? Int32(i)
      }
    }
    skip(ahead: UInt64(k))
  }

  /// Fills with indices of `weights`, each drawn with probability proportional to its weight.
  ///
  /// Moves on by the number of elements.
  package mutating func fillWeightedIndices(
    _ buffer: UnsafeMutableBufferPointer<Int32>, weights: UnsafeBufferPointer<Double>
  ) {
    if buffer.isEmpty { return }
    var cumulative: [Double] = []
    cumulative.reserveCapacity(weights.count)
    var total = 0.0
    var lastPositive = 0
    for (i, weight) in weights.enumerated() {
      Self.check(weight: weight, at: i)
      if weight > 0 { lastPositive = i }
      total += weight
      cumulative.append(total)
    }
    guard total > 0, total.isFinite, weights.count <= Int(Int32.max) else {
      fatalError("weights must have a positive finite sum, not \(total)")
    }
    cumulative.withUnsafeBufferPointer { cumulative in
      fillByPosition(buffer) { generator, position in
        let target = total * Self.unit(generator.word(at: position))
        // The first index whose cumulative weight exceeds the target.
        var low = 0
        var high = lastPositive
        while low < high {
          let middle = low + (high - low) / 2
          if cumulative[middle] > target { high = middle } else { low = middle + 1 }
        }
        return Int32(low)
      }
    }
  }

  /// Fills with different indices of `weights`, drawn one after the other with probability
  /// proportional to weight among those left; moves on by the number of weights.
  ///
  /// Index i gets an exponential arrival time of rate weight i; the first to arrive win (Efraimidis and
  /// Spirakis 2006).
  package mutating func fillWeightedChoice(
    _ buffer: UnsafeMutableBufferPointer<Int32>, weights: UnsafeBufferPointer<Double>
  ) {
    var arrivals: [(time: Double, index: Int32)] = []
    for (i, weight) in weights.enumerated() {
      Self.check(weight: weight, at: i)
      if weight == 0 { continue }
      let u = Self.openUnit(word(at: position &+ UInt64(i)))
      arrivals.append((-DeterministicMath.log(u) / weight, Int32(i)))
    }
    guard buffer.count <= arrivals.count else {
      fatalError(
        "cannot choose \(buffer.count) different indices from \(arrivals.count) positive weights")
    }
    arrivals.sort { ($0.time, $0.index) < ($1.time, $1.index) }
    for i in 0..<buffer.count { buffer[i] = arrivals[i].index }
    skip(ahead: UInt64(weights.count))
  }

  private static func check(weight: Double, at index: Int) {
    guard weight >= 0, weight.isFinite else {
      fatalError("weight \(index) is \(weight); weights must be finite and not negative")
    }
  }

  /// An integer uniform on 0 ..< bound: the high word of bound · word, without the products whose low
  /// word would favour some results (Lemire, Fast random integer generation in an interval, 2019).
  @inline(__always)
  func integer(at position: UInt64, below bound: UInt64) -> UInt64 {
    var product = word(at: position).multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      var attempt: UInt64 = 1
      while product.low < threshold {
        product = words(at: position, attempt: attempt).0.multipliedFullWidth(by: bound)
        attempt += 1
      }
    }
    return product.high
  }
}
