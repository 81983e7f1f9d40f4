import CZlibInterface

/// A stream of zlib, in one direction.
final class ZlibStream {
  /// What a step did.
  struct Step {
    let consumed: Int
    let produced: Int
    /// Whether the stream is complete.
    let isAtEnd: Bool
  }

  private let run: czlib_step
  private let end: czlib_end
  // zlib keeps the address of the stream, so it must not move.
  private let stream: UnsafeMutablePointer<czlib_stream>

  private init(
    _ run: czlib_step, _ end: czlib_end,
    start: (UnsafeMutablePointer<czlib_stream>, Int32) -> Int32
  ) throws(ZlibFailure) {
    (self.run, self.end) = (run, end)
    stream = .allocate(capacity: 1)
    stream.initialize(to: czlib_stream())
    let status = start(stream, Int32(MemoryLayout<czlib_stream>.size))
    if status != CZLIB_OK { throw ZlibLibrary.failure(status, stream.pointee) }
  }

  deinit {
    _ = end(stream)
    stream.deallocate()
  }

  /// - Parameter window: `CZLIB_RAW_WINDOW` or `CZLIB_GZIP_WINDOW`.
  static func inflating(window: Int = Int(CZLIB_RAW_WINDOW)) throws(ZlibFailure) -> ZlibStream {
    let library = try ZlibLibrary.loaded()
    return try ZlibStream(library.inflate, library.inflateEnd) { stream, size in
      library.inflateInit(stream, Int32(window), "1", size)
    }
  }

  static func deflating() throws(ZlibFailure) -> ZlibStream {
    let library = try ZlibLibrary.loaded()
    let (level, memory, strategy) = (Int32(6), Int32(8), Int32(0))
    return try ZlibStream(library.deflate, library.deflateEnd) { stream, size in
      library.deflateInit(
        stream, level, Int32(CZLIB_DEFLATED), Int32(CZLIB_RAW_WINDOW), memory, strategy, "1", size)
    }
  }

  /// Goes on until the input is used up or the output is full.
  ///
  /// - Parameter flush: `CZLIB_FINISH` with the last input that is deflated.
  func step(
    _ input: ArraySlice<UInt8>, into output: UnsafeMutableRawBufferPointer,
    _ flush: Int = Int(CZLIB_NO_FLUSH)
  ) throws(ZlibFailure) -> Step {
    try input.withUnsafeBufferPointer { (input) throws(ZlibFailure) in
      // zlib counts in 32 bits.
      let inputCount = UInt32(clamping: input.count)
      let outputCount = UInt32(clamping: output.count)
      stream.pointee.next_in = input.baseAddress
      stream.pointee.avail_in = inputCount
      stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = outputCount
      let status = run(stream, Int32(flush))
      // A buffer error only says that there was nothing to do.
      guard [CZLIB_OK, CZLIB_STREAM_END, CZLIB_BUFFER_ERROR].contains(Int(status)) else {
        throw ZlibLibrary.failure(status, stream.pointee)
      }
      return Step(
        consumed: Int(inputCount - stream.pointee.avail_in),
        produced: Int(outputCount - stream.pointee.avail_out), isAtEnd: status == CZLIB_STREAM_END)
    }
  }
}

/// The pieces as one stream of deflated data.
package func deflate(_ pieces: [[UInt8]]) throws(ZlibFailure) -> [UInt8] {
  let stream = try ZlibStream.deflating()
  var result: [UInt8] = []
  var output = [UInt8](repeating: 0, count: 1 << 16)
  for piece in pieces.filter({ !$0.isEmpty }) + [[]] {
    var rest = piece[...]
    // The empty piece behind the others is the end.
    let flush = Int(piece.isEmpty ? CZLIB_FINISH : CZLIB_NO_FLUSH)
    while true {
      let step = try output.withUnsafeMutableBufferPointer { (buffer) throws(ZlibFailure) in
        try stream.step(rest, into: UnsafeMutableRawBufferPointer(buffer), flush)
      }
      result += output[..<step.produced]
      rest = rest.dropFirst(step.consumed)
      if step.isAtEnd || (!piece.isEmpty && rest.isEmpty && step.produced < output.count) { break }
    }
  }
  return result
}
