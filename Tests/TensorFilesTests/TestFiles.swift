import Foundation

/// A file of `Fixtures`, written by NumPy or another program than this one.
func fixture(_ name: String, file: String = #filePath) -> String {
  URL(fileURLWithPath: file).deletingLastPathComponent().appending(path: "Fixtures/\(name)").path
}

func bytes(ofFile path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// Runs `body` with the path of an empty directory, which is removed afterwards.
func withTemporaryDirectory<R>(_ body: (String) throws -> R) throws -> R {
  let url = FileManager.default.temporaryDirectory.appending(path: "adjoint-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}

/// The bytes with one of them, chosen at random, replaced by another value.
func flipped(_ bytes: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
  var bytes = bytes
  let index = Int.random(in: bytes.indices, using: &generator)
  bytes[index] ^= UInt8.random(in: 1...255, using: &generator)
  return bytes
}
