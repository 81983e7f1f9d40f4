/// The bytes of a member of a ZIP archive, inflated and checked as they are read.
final class ZIPMemberReader {
  private let file: ByteSource
  private let entry: ZIPEntry
  private let inflater: Inflater?
  private var checksum = CRC32()
  private var remaining: Int

  /// Where in the file the next piece of the member's data lies.
  private var fileOffset: Int
  /// The piece that was read last, and how much of it is used up.
  private var piece: [UInt8] = []
  private var pieceOffset = 0
  private var isAtEndOfDeflate = false
  private var failure: NPZError?

  private static let pieceByteCount = 1 << 16

  init(_ file: ByteSource, _ entry: ZIPEntry) throws(NPZError) {
    self.file = file
    self.entry = entry
    remaining = entry.byteCount
    fileOffset = entry.dataOffset
    inflater =
      entry.isDeflated
      ? try mapError({ (failure: ZlibFailure) in NPZError.zlibMissing(reason: failure.reason) }) {
        () throws(ZlibFailure) in try Inflater()
      } : nil
    if remaining == 0 { try finish() }
  }

  /// The name of the archive.
  var source: String { file.name }

  var remainingByteCount: Int { remaining }

  func read(_ count: Int) throws(NPZError) -> [UInt8] {
    try require(count)
    var failure: NPZError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      let whole = UnsafeMutableRawBufferPointer(buffer)
      do throws(NPZError) {
        try read(into: UnsafeMutableRawBufferPointer(rebasing: whole[..<count]))
        written = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  func skip(_ count: Int) throws(NPZError) {
    try require(count)
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(count, Self.pieceByteCount), alignment: 8)
    defer { buffer.deallocate() }
    var left = count
    while left > 0 {
      let step = min(left, buffer.count)
      try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<step]))
      left -= step
    }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(NPZError) {
    try require(buffer.count)
    if buffer.isEmpty { return }
    do throws(NPZError) {
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

  private func require(_ count: Int) throws(NPZError) {
    if let failure { throw failure }
    if count < 0 || count > remaining {
      throw .beyondEnd(
        source: source, member: entry.name, requested: count, remaining: remaining)
    }
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(NPZError) {
    guard inflater != nil else {
      try readFile(into: buffer)
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
  private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws(NPZError) -> Int {
    guard let inflater, !isAtEndOfDeflate else { return 0 }
    if pieceOffset == piece.count { try readPiece() }
    var step: Inflater.Step?
    var failure: ZlibFailure?
    piece.withUnsafeBytes { bytes in
      do throws(ZlibFailure) {
        step = try inflater.step(
          UnsafeRawBufferPointer(rebasing: bytes[pieceOffset...]), into: buffer)
      } catch { failure = error }
    }
    guard let step else { throw damaged(failure?.reason ?? "it cannot be inflated") }
    pieceOffset += step.consumed
    isAtEndOfDeflate = step.isAtEnd
    if !step.isAtEnd && step.consumed == 0 && step.produced == 0 && fileOffset == entry.dataEnd {
      throw damaged("the deflated data have no end")
    }
    return step.produced
  }

  private func readPiece() throws(NPZError) {
    let count = min(Self.pieceByteCount, entry.dataEnd - fileOffset)
    piece = try mapError(unreadable) { () throws(FileFailure) in
      try file.read(fileOffset..<(fileOffset + count))
    }
    pieceOffset = 0
    fileOffset += count
  }

  private func readFile(into buffer: UnsafeMutableRawBufferPointer) throws(NPZError) {
    if let failure = file.fill(buffer, from: fileOffset) { throw unreadable(failure) }
    fileOffset += buffer.count
  }

  /// Checks that the data end where the directory says, and their checksum.
  private func finish() throws(NPZError) {
    if inflater != nil {
      try withUnsafeTemporaryByte { (byte) throws(NPZError) in
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

  private func withUnsafeTemporaryByte(
    _ body: (UnsafeMutableRawBufferPointer) throws(NPZError) -> Void
  ) throws(NPZError) {
    let byte = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
    defer { byte.deallocate() }
    try body(byte)
  }

  private func unreadable(_ failure: FileFailure) -> NPZError {
    .unreadable(source: source, reason: failure.reason)
  }

  private func damaged(_ detail: String) -> NPZError {
    .damagedMember(source: source, member: entry.name, detail: detail)
  }
}
