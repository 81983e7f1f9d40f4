import Autodiff
import DSprites
import ExampleSupport
import Foundation
import SpriteRegression
import TensorFiles

/// Everything that the result of a run depends on.
struct SpriteSpecification: Codable, Equatable, Sendable {
  let method: SpriteMethod
  let seed: UInt64
  /// Observations, halved for the two stages.
  let size: Int
  let precision: SpritePrecision
  /// The published archive; nil draws the images.
  let data: SpriteDataFile?
  let settings: SpriteSettings

  /// What the run's files are called.
  var name: String { "\(method.rawValue)-\(seed)" }

  /// What all runs of a directory share, as errors name it.
  var sharedOptions: [StudyOption] {
    [
      ("--size", "\(size)"), ("--precision", precision.rawValue),
      ("--data", data?.identity ?? "none"),
    ]
  }

  /// That, and what all runs of a method share.
  var options: [StudyOption] {
    sharedOptions + SpriteSetting.all(nil).map { ($0.name, $0.value(settings)) }
      // One without an option.
      + [("a setting", "one of \(settings)")]
  }
}

/// The type of number that a run computes in.
enum SpritePrecision: String, Codable, CaseIterable, Sendable {
  case float32, float64

  var scalarType: ScalarType { self == .float32 ? .float32 : .float64 }
}

/// The published archive of images, told from another file by its name and size.
struct SpriteDataFile: Codable, Equatable, Sendable {
  let path: String
  let byteCount: Int

  /// Takes note of a file.
  ///
  /// - Throws: What the system says, if it is not there or cannot be read.
  init(path: String) throws {
    self.path = path
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    byteCount = Int(try handle.seekToEnd())
    try handle.close()
  }

  /// The name and size.
  var identity: String {
    "\(URL(fileURLWithPath: path).lastPathComponent) of \(Numbers.count(byteCount)) bytes"
  }
}

/// An archive as `--data` names it, checked by its headers.
enum GivenArchive {
  case file(SpriteDataFile)
  /// What came from a stream.
  case bytes([UInt8])

  /// - Throws: A `DSpritesError`, or what the system says.
  init(path: String) throws {
    if TextFile.isStream(path) {
      let bytes = try TextFile.bytes(of: path)
      try SpriteArchive.requireHeaders(in: bytes, source: path)
      self = .bytes(bytes)
    } else {
      self = .file(try SpriteDataFile(path: path))
      try SpriteArchive.requireHeaders(inFile: path)
    }
  }

  /// The file that every run reads: what came from a stream is kept in the directory.
  func file(in directory: OutputDirectory) throws -> SpriteDataFile {
    switch self {
    case .file(let file): return file
    case .bytes(let bytes):
      let copy = directory.file("dsprites-data.npz")
      do throws(FileError) { try AtomicFile.write([bytes], to: copy) } catch {
        throw OutputError(path: copy, reason: error.detail)
      }
      return try SpriteDataFile(path: copy)
    }
  }
}
