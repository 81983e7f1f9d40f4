import Foundation
import Testing

import TensorFiles

@Suite struct TextFileTests {
  /// `printf 'a,b\n1,2\n' | gzip -n`.
  private let compressed: [UInt8] = [
    0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x4B, 0xD4, 0x49, 0xE2, 0x32, 0xD4,
    0x31, 0xE2, 0x02, 0x00, 0x7B, 0x07, 0x97, 0x0A, 0x08, 0x00, 0x00, 0x00,
  ]

  private func write(_ bytes: [UInt8], in directory: String, _ name: String) throws -> String {
    let path = "\(directory)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test("a table that gzip compressed is read, also in two members and under any name")
  func gzip() throws {
    try withTemporaryDirectory { directory in
      let path = try write(compressed, in: directory, "t.csv.gz")
      #expect(try CSVTable(contentsOfFile: path).numbers("b") == [2])
      let twice = try write(compressed + compressed, in: directory, "t")
      #expect(try TextFile.bytes(of: twice) == Array("a,b\n1,2\na,b\n1,2\n".utf8))
    }
  }

  @Test("damaged and truncated gzip data are told", arguments: [10, 18, 24])
  func damage(position: Int) throws {
    try withTemporaryDirectory { directory in
      var damaged = compressed
      damaged[position] ^= 0xFF
      for bytes in [damaged, Array(compressed[..<position])] {
        let path = try write(bytes, in: directory, "t.csv.gz")
        let error = #expect(throws: CSVError.self) { try CSVTable(contentsOfFile: path) }
        #expect(error?.description.contains("its gzip data cannot be decompressed") == true)
      }
    }
  }

  @Test("few bytes that stand for very many are refused")
  func bomb() throws {
    let zeros = [UInt8](repeating: 0x30, count: 70 << 20)
    // Deflated data are those of gzip without header and checksum, which come after the limit.
    let bomb = Array(compressed[..<10]) + (try deflate([zeros]))
    let error = #expect(throws: FileFailure.self) { try gunzipped(bomb) }
    #expect(error?.reason.contains("decompress to more than 68 MB") == true)
  }

  @Test("every reader takes a pipe", .timeLimit(.minutes(1)))
  func pipes() throws {
    try withTemporaryDirectory { directory in
      let pipe = "\(directory)/pipe"
      #expect(mkfifo(pipe, 0o600) == 0)
      #expect(TextFile.isStream(pipe) && !TextFile.isStream(directory))
      // A thread, because opening a pipe waits for the other end.
      func send(_ bytes: [UInt8]) {
        Thread.detachNewThread { try? AtomicFile.write([bytes], to: pipe) }
      }
      send(Array("a,b\n1,2\n".utf8))
      #expect(try CSVTable(contentsOfFile: pipe).numbers("a") == [1])
      send(Array("1 2:5\n".utf8))
      #expect(try TextFile.bytes(of: pipe) == Array("1 2:5\n".utf8))
      send(try bytes(ofFile: fixture("deflated.npz")))
      #expect(try NPZArchive(contentsOfFile: pipe).names.contains("x"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["pipe"])
    }
  }
}
