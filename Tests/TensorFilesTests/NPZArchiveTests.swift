import Autodiff
import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite("NPZ archives") struct NPZArchiveTests {
  @Test("Reads what NumPy writes", arguments: ["deflated", "descriptors", "zip64"])
  func readsWhatNumPyWrites(name: String) throws {
    let archive = try NPZArchive(contentsOfFile: fixture("\(name).npz"))
    #expect(archive.names == ["x", "images", "labels"])
    #expect(try archive.array(named: "x").tensor().scalars == [0, 1, 2, 3, 4, 5])
    let labels = try archive.array(named: "labels").tensor()
    #expect(labels.isBitwiseEqual(to: Tensor(indices: [3, 1, 2])))
    let images = try archive.array(named: "images")
    #expect(images.header.shape == [20, 10, 10])
    #expect(try images.bytes() == (0..<2000).map { UInt8($0 % 7) })
  }

  @Test("Reads stored members") func readsStoredMembers() throws {
    let archive = try NPZArchive(contentsOfFile: fixture("stored.npz"))
    #expect(archive.names == ["x", "labels"])
    #expect(try archive.array(named: "x").tensor().scalars == [0, 1, 2, 3, 4, 5])
  }

  @Test("Members that are no arrays stand aside") func membersThatAreNoArraysStandAside() throws {
    let archive = try NPZArchive(contentsOfFile: fixture("mixed.npz"))
    #expect(archive.names == ["metadata", "é", "bad"])
    #expect(try archive.array(named: "é").tensor().shape == [2, 3])
    let objects = #expect(throws: FileError.self) { try archive.array(named: "metadata") }
    #expect(objects?.description.contains("mixed.npz: metadata: elements of type \"|O\"") == true)
    let short = #expect(throws: FileError.self) { try archive.array(named: "bad") }
    #expect(
      short?.description.contains("176 bytes were expected, but the file ends after 175") == true)
  }

  @Test("Every type comes back", arguments: [true, false])
  func everyTypeComesBack(isCompressed: Bool) throws {
    let tensors: [(String, Tensor)] = [
      ("weights", Tensor([1, .nan, -0.0, .infinity] as [Float])), ("é/ü", Tensor(3)),
      ("none", .zeros([0, 2])), ("mask", Tensor(mask: [true, false, true])),
      ("repeated", Tensor(repeating: 1.5, shape: [300, 400])),
    ]
    try withTemporaryDirectory { directory in
      var writer = NPZWriter(isCompressed: isCompressed)
      for (name, tensor) in tensors { writer.append(tensor, named: name) }
      writer.append(NPYArray(bytes: [9, 8, 7], shape: [3]), named: "bytes")
      try writer.write(toFile: "\(directory)/x.npz")
      let archive = try NPZArchive(contentsOfFile: "\(directory)/x.npz")
      #expect(archive.names == tensors.map(\.0) + ["bytes"])
      for (name, tensor) in tensors {
        #expect(try archive.array(named: name).tensor().isBitwiseEqual(to: tensor))
      }
      #expect(try archive.array(named: "bytes").bytes() == [9, 8, 7])
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["x.npz"])

      try NPZWriter(isCompressed: isCompressed).write(toFile: "\(directory)/x.npz")
      #expect(try NPZArchive(contentsOfFile: "\(directory)/x.npz").names == [])
    }
  }

  @Test("Streams in pieces of any size") func streamsInPiecesOfAnySize() throws {
    let archive = try NPZArchive(contentsOfFile: fixture("deflated.npz"))
    let whole = try archive.array(named: "images").bytes()
    var generator = SplitMix64(seed: 5)
    for _ in 0..<50 {
      var stream = try archive.stream(ofMember: "images")
      #expect(stream.header.scalarType == .uint8)
      var position = 0
      while stream.remainingByteCount > 0 {
        let count = min(Int.random(in: 0...300, using: &generator), stream.remainingByteCount)
        if Bool.random(using: &generator) {
          try stream.skip(count)
        } else {
          let piece = try stream.read(count)
          #expect(piece == Array(whole[position..<(position + count)]))
        }
        position += count
      }
      #expect(position == 2000)
    }
  }

  /// 48 MB, of which a stream inflates no more than it is asked for: damage that lies further on is
  /// met only there.
  @Test("A stream reads no further than it is asked") func aStreamReadsNoFurtherThanItIsAsked()
    throws
  {
    let (images, pixels) = (750, 64 * 1000)
    // Each image is of one grey, so that the archive is small and every image is known.
    let bytes = [UInt8](unsafeUninitializedCapacity: images * pixels) { buffer, count in
      for index in 0..<images {
        buffer[(index * pixels)..<((index + 1) * pixels)].update(repeating: UInt8(index % 251))
      }
      count = images * pixels
    }
    try withTemporaryDirectory { directory in
      let path = "\(directory)/images.npz"
      var writer = NPZWriter()
      writer.append(NPYArray(bytes: bytes, shape: [images, pixels]), named: "imgs")
      try writer.write(toFile: path)
      var file = try TensorFilesTests.bytes(ofFile: path)
      #expect(file.count < 500_000)

      var stream = try NPZArchive(contentsOfFile: path).stream(ofMember: "imgs")
      for index in stride(from: 0, to: images, by: 50) {
        #expect(try stream.read(pixels).allSatisfy { $0 == UInt8(index % 251) })
        try stream.skip(49 * pixels)
      }
      #expect(stream.remainingByteCount == 0)

      let tooLarge = FileError(
        .tooLarge, path,
        "\"imgs\" has 48000000 bytes, but at most 1000000 were expected; read it as a stream, or "
          + "raise the limit")
      #expect(throws: tooLarge) {
        try NPZArchive(contentsOfFile: path).array(named: "imgs", byteLimit: 1_000_000)
      }

      for offset in (file.count * 9 / 10)..<(file.count * 9 / 10 + 100) { file[offset] ^= 0xA5 }
      var damaged = try NPZArchive(parsing: file).stream(ofMember: "imgs")
      try damaged.skip(images / 2 * pixels)
      #expect(try damaged.read(1) == [UInt8(images / 2 % 251)])
      var failure: FileError?
      do throws(FileError) {
        try damaged.skip(damaged.remainingByteCount)
      } catch { failure = error }
      #expect(failure?.description.contains("\"imgs.npy\"") == true)
      // Once it has failed, a stream stays failed.
      var again: FileError?
      do throws(FileError) { _ = try damaged.read(1) } catch { again = error }
      #expect(again == failure)
    }
  }
}
