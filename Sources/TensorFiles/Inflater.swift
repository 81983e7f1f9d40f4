import CZlibInterface

/// Undoes deflate, piece by piece.
final class Inflater {
  /// What a step did.
  struct Step {
    let consumed: Int
    let produced: Int
    /// Whether the compressed data say that this is all.
    let isAtEnd: Bool
  }

  private let library: ZlibLibrary
  // zlib keeps the address of the stream, so it must not move.
  private let stream: UnsafeMutablePointer<czlib_stream>

  /// - Parameter window: `CZLIB_RAW_WINDOW` or `CZLIB_GZIP_WINDOW`.
  init(window: Int = Int(CZLIB_RAW_WINDOW)) throws(ZlibFailure) {
    library = try ZlibLibrary.loaded()
    stream = .allocate(capacity: 1)
    stream.initialize(to: czlib_stream())
    let size = Int32(MemoryLayout<czlib_stream>.size)
    let status = library.inflateInit(stream, Int32(window), "1", size)
    if status != CZLIB_OK { throw ZlibLibrary.failure(status, stream.pointee) }
  }

  deinit {
    _ = library.inflateEnd(stream)
    stream.deallocate()
  }

  /// Inflates until the input is used up or the output is full.
  func step(
    _ input: ArraySlice<UInt8>, into output: UnsafeMutableRawBufferPointer
  ) throws(ZlibFailure) -> Step {
    try input.withUnsafeBufferPointer { (input) throws(ZlibFailure) in
      try step(input, into: output)
    }
  }

  private func step(
    _ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableRawBufferPointer
  ) throws(ZlibFailure) -> Step {
    // zlib counts in 32 bits.
    let inputCount = UInt32(clamping: input.count)
    let outputCount = UInt32(clamping: output.count)
    stream.pointee.next_in = input.baseAddress
    stream.pointee.avail_in = inputCount
    stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = outputCount
    let status = library.inflate(stream, Int32(CZLIB_NO_FLUSH))
    // A buffer error only says that there was nothing to do.
    guard [CZLIB_OK, CZLIB_STREAM_END, CZLIB_BUFFER_ERROR].contains(Int(status)) else {
      throw ZlibLibrary.failure(status, stream.pointee)
    }
    return Step(
      consumed: Int(inputCount - stream.pointee.avail_in),
      produced: Int(outputCount - stream.pointee.avail_out), isAtEnd: status == CZLIB_STREAM_END)
  }
}
