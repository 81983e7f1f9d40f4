import Autodiff
import CZlibInterface
import Foundation

/// The bytes of a text file as its reader wants them.
public enum TextFile {
  /// All bytes of a file; one that gzip compressed (`.gz`) is decompressed, whatever its name.
  ///
  /// A pipe or a device such as `/dev/stdin` is read to its end.
  ///
  /// - Throws: What the system says, that the compressed data are damaged, or that there is less
  ///   memory than the file needs.
  public static func bytes(of path: String) throws(FileError) -> [UInt8] {
    if access(path, F_OK) != 0, errno == ENOENT {
      throw FileError(.unreadable, path, "no such file")
    }
    let bytes = try ByteSource.bytes(ofFile: path)
    return bytes.starts(with: [0x1F, 0x8B]) ? try gunzipped(bytes, source: path) : bytes
  }

  /// Whether a path names no file but a stream, such as `/dev/stdin` or a pipe, whose name says
  /// nothing of its content.
  public static func isStream(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
      || ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].contains(path)
  }
}

/// What gzip made of a text: one member or several, each with a checksum that zlib compares.
///
/// Few bytes can stand for very many. What comes out may have 200 times the size of the file, which is
/// more than text has, and take half the free memory.
package func gunzipped(_ bytes: [UInt8], source: String) throws(FileError) -> [UInt8] {
  let limit = min(max(1 << 26, 200 * bytes.count), (AvailableMemory.byteCount ?? .max) / 2)
  var result: [UInt8] = []
  var position = 0
  do throws(ZlibFailure) {
    // Blocks of zeros may follow the last member, as a tape has them.
    while position < bytes.count, bytes[position] != 0 {
      position += try gunzip(bytes[position...], into: &result, limit: limit)
      if result.count > limit { break }
    }
  } catch {
    throw FileError(
      .unreadable, source, "its gzip data cannot be decompressed: \(error.reason)")
  }
  if result.count > limit {
    throw FileError(
      .unreadable, source,
      "its \(megabytes(bytes.count)) decompress to more than \(megabytes(limit)), half of the "
        + "free memory or 200 times its size; decompress it with gunzip if that is right")
  }
  return result
}

/// Decompresses one member; returns how many bytes it had.
private func gunzip(
  _ bytes: ArraySlice<UInt8>, into result: inout [UInt8], limit: Int
) throws(ZlibFailure) -> Int {
  let inflater = try ZlibStream.inflating(window: Int(CZLIB_GZIP_WINDOW))
  var piece = [UInt8](repeating: 0, count: 1 << 18)
  var consumed = 0
  while true {
    let step = try piece.withUnsafeMutableBufferPointer { (output) throws(ZlibFailure) in
      try inflater.step(
        bytes.dropFirst(consumed), into: UnsafeMutableRawBufferPointer(output))
    }
    consumed += step.consumed
    result += piece[..<step.produced]
    if step.isAtEnd || result.count > limit { return consumed }
    if step.consumed == 0, step.produced == 0 { throw ZlibFailure(reason: "the data have no end") }
  }
}
