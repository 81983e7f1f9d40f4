import Autodiff

extension Tensor {
  /// Every row of a float64 matrix that is the same bits as an earlier one, with the first of these, in
  /// the order of the rows.
  package var repeatedRows: [(first: Int, second: Int)] {
    let (count, width) = (shape[0], shape[1])
    return withExtendedLifetime(self) {
      let words = UnsafeRawBufferPointer(start: bytes, count: count * width * 8)
        .bindMemory(to: UInt64.self)
      func row(_ index: Int) -> Swift.Slice<UnsafeBufferPointer<UInt64>> {
        words[index * width..<(index + 1) * width]
      }
      // Rows are sorted by a mix of their words, and compared where that is the same.
      let mixed = (0..<count).map { index in
        let key = row(index).reduce(0xCBF2_9CE4_8422_2325 as UInt64) { key, word in
          let next = (key ^ word) &* 0x9E37_79B9_7F4A_7C15
          return next ^ (next >> 29)
        }
        return (key: key, index: index)
      }.sorted { ($0.key, $0.index) < ($1.key, $1.index) }
      var (found, start): ([(first: Int, second: Int)], Int) = ([], 0)
      for place in mixed.indices.dropFirst() {
        if mixed[place].key != mixed[start].key { start = place }
        let earlier = mixed[start..<place].first {
          row($0.index).elementsEqual(row(mixed[place].index))
        }
        if let earlier { found.append((earlier.index, mixed[place].index)) }
      }
      return found.sorted { $0.second < $1.second }
    }
  }
}
