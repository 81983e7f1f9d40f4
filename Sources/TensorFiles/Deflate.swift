import CZlibInterface

/// The pieces as one stream of deflated data.
package func deflate(_ pieces: [[UInt8]]) throws(ZlibFailure) -> [UInt8] {
  let library = try ZlibLibrary.loaded()
  // zlib keeps the address of the stream, so it must not move.
  let stream = UnsafeMutablePointer<czlib_stream>.allocate(capacity: 1)
  stream.initialize(to: czlib_stream())
  defer { stream.deallocate() }
  let (level, memory, strategy) = (Int32(6), Int32(8), Int32(0))
  var status = library.deflateInit(
    stream, level, Int32(CZLIB_DEFLATED), Int32(CZLIB_RAW_WINDOW), memory, strategy, "1",
    Int32(MemoryLayout<czlib_stream>.size))
  guard status == CZLIB_OK else { throw ZlibLibrary.failure(status, stream.pointee) }
  defer { _ = library.deflateEnd(stream) }

  var result: [UInt8] = []
  var output = [UInt8](repeating: 0, count: 1 << 16)
  func run(_ input: UnsafeRawBufferPointer, _ flush: Int) {
    stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(input.count)
    repeat {
      let count = output.withUnsafeMutableBufferPointer { buffer in
        stream.pointee.next_out = buffer.baseAddress
        stream.pointee.avail_out = UInt32(buffer.count)
        status = library.deflate(stream, Int32(flush))
        return buffer.count - Int(stream.pointee.avail_out)
      }
      result += output[..<count]
    } while stream.pointee.avail_out == 0 || (flush == CZLIB_FINISH && status == CZLIB_OK)
  }
  for piece in pieces {
    piece.withUnsafeBytes { bytes in
      // zlib counts in 32 bits.
      for start in stride(from: 0, to: bytes.count, by: 1 << 30) {
        run(.init(rebasing: bytes[start..<min(start + 1 << 30, bytes.count)]), CZLIB_NO_FLUSH)
      }
    }
  }
  run(UnsafeRawBufferPointer(start: nil, count: 0), CZLIB_FINISH)
  guard status == CZLIB_STREAM_END else { throw ZlibLibrary.failure(status, stream.pointee) }
  return result
}
