// The directory at the end of a ZIP archive (PKWARE, APPNOTE 6.3.10), with the extension to 64 bits.
// Everything it says is compared with the file before it is used.

struct ZIPDirectory {
  private(set) var entries: [ZIPEntry] = []
  private let file: ByteSource

  private static let endByteCount = 22
  private static let commentLimit = 0xFFFF
  private static let directoryLimit = 1 << 26
  /// Deflate makes at most this many bytes out of one.
  private static let largestRatio = 1032

  /// Reads the directory of an archive.
  init(_ file: ByteSource) throws(FileError) {
    self.file = file
    let end = try findEnd()
    let directory = try locate(end)
    try readEntries(directory.range, count: directory.count)
    try readLocalHeaders(end: directory.range.lowerBound)
  }

  /// The offset of the end record, which only a comment may follow.
  private func findEnd() throws(FileError) -> Int {
    let start = max(0, file.byteCount - Self.endByteCount - Self.commentLimit)
    let tail = ZIPRecord(bytes: try read(start, file.byteCount - start))
    var offset = tail.bytes.count - Self.endByteCount
    while offset >= 0 {
      let isEnd = tail.uint32(offset) == 0x0605_4B50
      if isEnd, offset + Self.endByteCount + tail.uint16(offset + 20) == tail.bytes.count {
        return start + offset
      }
      offset -= 1
    }
    throw FileError(
      .malformed, file.name,
      "the file does not end with the directory of a ZIP archive; it is no .npz file, or was cut "
        + "short: copy or save it again")
  }

  /// Where the directory lies and how many entries it has.
  private func locate(_ end: Int) throws(FileError) -> (range: Range<Int>, count: Int) {
    let record = ZIPRecord(bytes: try read(end, Self.endByteCount))
    var (disk, firstDisk) = (record.uint16(4), record.uint16(6))
    var (here, count) = (record.uint16(8), record.uint16(10))
    var (size, offset) = (record.uint32(12), record.uint32(16))
    var directoryEnd = end
    let locator = ZIPRecord(bytes: end >= 20 ? try read(end - 20, 20) : [])
    if locator.uint32(0) == 0x0706_4B50 {
      let recordOffset = locator.uint64(8)
      guard recordOffset <= end - 20 - 56, locator.uint32(4) == 0, locator.uint32(16) <= 1 else {
        throw malformed("the end record of 64 bits is not where its locator says")
      }
      let large = ZIPRecord(bytes: try read(recordOffset, 56))
      guard large.uint32(0) == 0x0606_4B50, large.uint64(4) == end - 20 - recordOffset - 12 else {
        throw malformed("the end record of 64 bits is not where its locator says")
      }
      (disk, firstDisk) = (large.uint32(16), large.uint32(20))
      (here, count) = (large.uint64(24), large.uint64(32))
      (size, offset) = (large.uint64(40), large.uint64(48))
      directoryEnd = recordOffset
    }
    guard disk == 0, firstDisk == 0, here == count else {
      throw malformed("the archive is a part of several")
    }
    guard size <= Self.directoryLimit, size <= directoryEnd, offset == directoryEnd - size else {
      throw malformed(
        "the directory should have \(size) bytes at \(offset), but ends at \(directoryEnd)")
    }
    return (offset..<directoryEnd, count)
  }

  private mutating func readEntries(_ range: Range<Int>, count: Int) throws(FileError) {
    let record = ZIPRecord(bytes: try read(range.lowerBound, range.count))
    var offset = 0
    var names: Set<ExactName> = []
    while offset < record.bytes.count {
      guard record.bytes.count - offset >= 46, record.uint32(offset) == 0x0201_4B50 else {
        throw malformed("entry \(entries.count) of the directory does not start as one")
      }
      let nameEnd = offset + 46 + record.uint16(offset + 28)
      let extraEnd = nameEnd + record.uint16(offset + 30)
      let end = extraEnd + record.uint16(offset + 32)
      guard end <= record.bytes.count else {
        throw malformed("entry \(entries.count) of the directory reaches beyond its end")
      }
      let entry = try entry(record, at: offset, nameEnd: nameEnd, extra: nameEnd..<extraEnd)
      guard names.insert(ExactName(entry.name)).inserted else {
        throw malformed("two members are named \(quoted(entry.name))")
      }
      entries.append(entry)
      offset = end
    }
    guard entries.count == count else {
      throw malformed("the directory should have \(count) entries, but has \(entries.count)")
    }
  }

  private func entry(
    _ record: ZIPRecord, at offset: Int, nameEnd: Int, extra: Range<Int>
  ) throws(FileError) -> ZIPEntry {
    guard let name = String(validating: record.bytes[(offset + 46)..<nameEnd], as: UTF8.self) else {
      throw malformed("the name of entry \(entries.count) is not UTF-8")
    }
    func unsupported(_ feature: String) -> FileError {
      FileError(
        .unsupported, file.name,
        "\(quoted(name)) is \(feature), but stored or deflated members were expected; save the "
          + "archive again with numpy.savez")
    }
    let (flags, method) = (record.uint16(offset + 8), record.uint16(offset + 10))
    if flags & 0x2041 != 0 { throw unsupported("encrypted") }
    if flags & 0x20 != 0 { throw unsupported("a patch") }
    if method != 0 && method != 8 { throw unsupported("compressed by method \(method)") }
    let written = [24, 20, 42].map { record.uint32(offset + $0) }
    guard let sizes = record.resolving(written, extra: extra) else {
      throw malformed("the sizes of \(quoted(name)) are not stated")
    }
    let entry = ZIPEntry(
      name: name, flags: UInt16(flags), isDeflated: method == 8,
      checksum: UInt32(record.uint32(offset + 16)), compressedByteCount: sizes[1],
      byteCount: sizes[0], headerOffset: sizes[2])
    guard entry.headerOffset < file.byteCount, entry.compressedByteCount < file.byteCount else {
      throw malformed("\(quoted(name)) reaches beyond the end of the file")
    }
    let most =
      entry.isDeflated
      ? (entry.compressedByteCount + 1) * Self.largestRatio : entry.compressedByteCount
    guard entry.byteCount <= most, entry.isDeflated || entry.byteCount == most else {
      throw malformed(
        "\(quoted(name)) cannot have \(entry.byteCount) bytes, of which the archive holds "
          + "\(entry.compressedByteCount)")
    }
    return entry
  }

  /// Compares every entry with its local header, and the places of the members with each other.
  private mutating func readLocalHeaders(end: Int) throws(FileError) {
    let order = entries.indices.sorted { entries[$0].headerOffset < entries[$1].headerOffset }
    for (rank, index) in order.enumerated() {
      let next = rank + 1 < order.count ? entries[order[rank + 1]].headerOffset : end
      entries[index].dataOffset = try dataOffset(of: entries[index], before: next)
      guard entries[index].dataEnd <= next else {
        throw malformed("\(quoted(entries[index].name)) reaches into what follows it")
      }
    }
  }

  private func dataOffset(of entry: ZIPEntry, before limit: Int) throws(FileError) -> Int {
    let contradiction = malformed("the two headers of \(quoted(entry.name)) differ")
    guard limit - entry.headerOffset >= 30 else { throw contradiction }
    let fixed = ZIPRecord(bytes: try read(entry.headerOffset, 30))
    let nameEnd = 30 + fixed.uint16(26)
    let headerEnd = nameEnd + fixed.uint16(28)
    guard fixed.uint32(0) == 0x0403_4B50, limit - entry.headerOffset >= headerEnd else {
      throw contradiction
    }
    let record = ZIPRecord(bytes: try read(entry.headerOffset, headerEnd))
    guard record.bytes[30..<nameEnd].elementsEqual(entry.name.utf8),
      record.uint16(6) == Int(entry.flags), record.uint16(8) == (entry.isDeflated ? 8 : 0)
    else { throw contradiction }
    if !entry.hasDescriptor {
      let written = [record.uint32(22), record.uint32(18)]
      let sizes = record.resolving(written, extra: nameEnd..<headerEnd)
      guard sizes == [entry.byteCount, entry.compressedByteCount],
        record.uint32(14) == Int(entry.checksum)
      else { throw contradiction }
    }
    return entry.headerOffset + headerEnd
  }

  private func read(_ offset: Int, _ count: Int) throws(FileError) -> [UInt8] {
    try file.read(offset..<(offset + count))
  }

  private func malformed(_ detail: String) -> FileError {
    FileError(
      .malformed, file.name,
      "\(detail); the archive is damaged, save it again with numpy.savez")
  }
}
