import Foundation
import TestSupport

/// A file of `Fixtures`, written by NumPy or another program than this one.
func fixture(_ name: String, file: String = #filePath) -> String {
  URL(fileURLWithPath: file).deletingLastPathComponent().appending(path: "Fixtures/\(name)").path
}

func bytes(ofFile path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// The bytes with one of them, chosen at random, replaced by another value.
func flipped(_ bytes: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
  var bytes = bytes
  let index = Int.random(in: bytes.indices, using: &generator)
  bytes[index] ^= UInt8.random(in: 1...255, using: &generator)
  return bytes
}
