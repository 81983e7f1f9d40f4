/// The bytes of a member of a ZIP archive, inflated and checked as they are read.
final class ZIPMemberReader {
  private let file: ByteSource
  private let entry: ZIPEntry
  private let inflater: ZlibStream?
  private var checksum = CRC32()
  private var remaining: Int

  /// Where in the file the next piece of the member's data lies.
  private var fileOffset: Int
  /// The piece that was read last, and how much of it is used up.
  private var piece: [UInt8] = []
  private var pieceOffset = 0
  private var isAtEndOfDeflate = false
  private var failure: FileError?

  private static let pieceByteCount = 1 << 16

  init(_ file: ByteSource, _ entry: ZIPEntry) throws(FileError) {
    self.file = file
    self.entry = entry
    remaining = entry.byteCount
    fileOffset = entry.dataOffset
    inflater =
      entry.isDeflated
      ? try ZlibLibrary.required(for: file.name) { () throws(ZlibFailure) in
        try ZlibStream.inflating()
      } : nil
    if remaining == 0 { try finish() }
  }

  /// The name of the archive.
  var source: String { file.name }

  var remainingByteCount: Int { remaining }

  func read(_ count: Int) throws(FileError) -> [UInt8] {
    try require(count)
    return try filledBytes(count: count, read(into:))
  }

  func skip(_ count: Int) throws(FileError) {
    try require(count)
    for start in stride(from: 0, to: count, by: Self.pieceByteCount) {
      _ = try read(min(Self.pieceByteCount, count - start))
    }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) {
    try require(buffer.count)
    if buffer.isEmpty { return }
    do throws(FileError) {
      try fill(buffer)
      checksum.update(UnsafeRawBufferPointer(buffer))
      remaining -= buffer.count
      if remaining == 0 { try finish() }
    } catch {
      // What follows a failure would be read from the wrong place.
      failure = error
      throw error
    }
  }

  private func require(_ count: Int) throws(FileError) {
    if let failure { throw failure }
    if count < 0 || count > remaining {
      throw FileError(
        .beyondEnd, source,
        "\(counted(count, "byte")) of \(quoted(entry.name)) were asked for, but \(remaining) are "
          + "left; check the shape in its header")
    }
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(FileError) {
    guard inflater != nil else {
      try file.fill(buffer, from: fileOffset)
      fileOffset += buffer.count
      return
    }
    var done = 0
    while done < buffer.count {
      let produced = try inflate(into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
      done += produced
      if produced == 0 && isAtEndOfDeflate {
        let found = entry.byteCount - remaining + done
        throw damaged("\(entry.byteCount) bytes were expected, but the data end after \(found)")
      }
    }
  }

  /// One step of inflation; what it wrote.
  private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    guard let inflater, !isAtEndOfDeflate else { return 0 }
    if pieceOffset == piece.count { try readPiece() }
    let step: ZlibStream.Step
    do { step = try inflater.step(piece[pieceOffset...], into: buffer) } catch {
      throw damaged(error.reason)
    }
    pieceOffset += step.consumed
    isAtEndOfDeflate = step.isAtEnd
    if !step.isAtEnd && step.consumed == 0 && step.produced == 0 && fileOffset == entry.dataEnd {
      throw damaged("the deflated data have no end")
    }
    return step.produced
  }

  private func readPiece() throws(FileError) {
    let count = min(Self.pieceByteCount, entry.dataEnd - fileOffset)
    piece = try file.read(fileOffset..<(fileOffset + count))
    pieceOffset = 0
    fileOffset += count
  }

  /// Checks that the data end where the directory says, and their checksum.
  private func finish() throws(FileError) {
    if inflater != nil {
      _ = try filledBytes(count: 1) { (byte) throws(FileError) in
        while !isAtEndOfDeflate {
          if try inflate(into: byte) > 0 {
            throw damaged("\(entry.byteCount) bytes were expected, but there are more")
          }
        }
      }
    }
    let used = fileOffset - (piece.count - pieceOffset)
    if used != entry.dataEnd {
      throw damaged("\(entry.dataEnd - used) bytes follow the end of the deflated data")
    }
    if checksum.value != entry.checksum {
      throw damaged("the checksum of its bytes is not that of the directory")
    }
  }

  private func damaged(_ detail: String) -> FileError {
    FileError(
      .damaged, source,
      "\(quoted(entry.name)): \(detail); the archive is damaged, copy or save it again")
  }
}
