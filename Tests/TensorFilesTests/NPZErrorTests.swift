import Autodiff
import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite("Errors of NPZ archives") struct NPZErrorTests {
  /// Everything an archive can be asked for; the message of the first error.
  private func message(_ bytes: [UInt8]) -> String {
    do {
      let archive = try NPZArchive(parsing: bytes, source: "x.npz")
      for name in archive.names { _ = try archive.array(named: name).tensor() }
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  private let small: [UInt8]
  /// Where the directory of `small` starts.
  private let directory: Int
  private let end: Int

  init() throws {
    small = try withTemporaryDirectory { directory in
      var writer = NPZWriter()
      writer.append(Tensor([1, 2]), named: "a")
      writer.append(Tensor(mask: [true]), named: "b")
      try writer.write(toFile: "\(directory)/x.npz")
      return try bytes(ofFile: "\(directory)/x.npz")
    }
    end = small.count - 22
    directory = Int(small[end + 16]) + Int(small[end + 17]) << 8
  }

  private func changed(_ changes: (Int, [UInt8])...) -> String {
    var bytes = small
    for (offset, values) in changes {
      bytes.replaceSubrange(offset..<(offset + values.count), with: values)
    }
    return message(bytes)
  }

  @Test("Files that are none, or not there, are refused by name") func files() throws {
    #expect(message(small) == "no error")
    #expect(message([]).hasPrefix("x.npz: the file does not end with the directory of a ZIP"))
    #expect(throws: FileError(.unreadable, "/no", "no such file or directory")) {
      try NPZArchive(contentsOfFile: "/no")
    }
    #expect(
      throws: FileError(.unwritable, "/no/x", "the directory it should be in does not exist")
    ) { try NPZWriter().write(toFile: "/no/x") }
    // A directory in the way of the file: nothing half-written stays behind.
    try withTemporaryDirectory { directory in
      try FileManager.default.createDirectory(
        atPath: "\(directory)/x/y", withIntermediateDirectories: true)
      #expect(throws: FileError.self) { try NPZWriter().write(toFile: "\(directory)/x") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["x"])
    }
    // Bytes before and after the archive.
    #expect(message([0] + small).contains("the directory should have"))
    #expect(message(small + [0]).contains("does not end with the directory"))
  }

  @Test("Unknown names are refused with the nearest") func names() throws {
    let archive = try NPZArchive(contentsOfFile: fixture("deflated.npz"))
    let error = #expect(throws: FileError.self) { try archive.array(named: "image") }
    #expect(
      error?.description.hasSuffix(
        "there is no array \"image\"; did you mean \"images\"?\nThe arrays are: \"x\", \"images\", "
          + "\"labels\"") == true)
    let requested = FileError(
      .beyondEnd, archive.source,
      "49 bytes of \"x.npy\" were asked for, but 48 are left; check the shape in its header")
    #expect(throws: requested) {
      var stream = try archive.stream(ofMember: "x")
      return try stream.read(49)
    }
    let second = directory + 46 + 5
    #expect(changed((second + 46, [97])).contains("two members are named \"a.npy\""))
    #expect(changed((directory + 46, [255])).contains("is not UTF-8"))
    #expect(changed((directory + 46, [99])).contains("the two headers of \"c.npy\" differ"))
  }

  @Test("Hostile directories") func hostileDirectories() {
    #expect(changed((directory + 8, [1])).contains("\"a.npy\" is encrypted"))
    #expect(changed((directory + 8, [32])).contains("\"a.npy\" is a patch"))
    #expect(changed((directory + 10, [12])).contains("compressed by method 12"))
    #expect(changed((directory + 10, [0])).contains("cannot have"))
    #expect(changed((directory, [0])).contains("entry 0 of the directory does not start as one"))
    #expect(changed((directory + 28, [255])).contains("entry 0 of the directory reaches beyond"))
    #expect(changed((end + 8, [3]), (end + 10, [3])).contains("should have 3 entries, but has 2"))
    #expect(changed((end + 8, [3])).contains("a part of several"))
    #expect(changed((end + 16, [0, 0])).contains("the directory should have"))
    #expect(changed((end + 12, [255, 255, 255, 255])).contains("4294967295 bytes"))
    // Sizes: a bomb, one beyond the file, one of 64 bits that is not there, overlapping members.
    let second = directory + 46 + 5
    #expect(changed((directory + 24, [0, 0, 0, 64])).contains("cannot have 1073741824 bytes"))
    #expect(changed((directory + 20, [0, 0, 0, 64])).contains("beyond the end of the file"))
    #expect(changed((directory + 42, [0, 0, 0, 64])).contains("beyond the end of the file"))
    #expect(
      changed((directory + 24, [255, 255, 255, 255])).contains("sizes of \"a.npy\" are not stated"))
    #expect(changed((second + 42, [0, 0])).contains("the two headers"))
    let compressed = small[directory + 20]
    #expect(
      changed((directory + 20, [compressed + 1]), (18, [compressed + 1]))
        .contains("reaches into what follows it"))
  }

  @Test("an array out of proportion to the archive is refused, unless the caller allows it")
  func bomb() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/bomb.npz"
      let count = 17 << 20
      var writer = NPZWriter()
      writer.append(
        NPYArray(bytes: [UInt8](repeating: 0, count: count), shape: [count]), named: "zeros")
      try writer.write(toFile: path)
      let archive = try NPZArchive(contentsOfFile: path)
      let error = #expect(throws: FileError.self) { try archive.array(named: "zeros") }
      #expect(error?.kind == .tooLarge)
      #expect(error?.detail.hasPrefix("\"zeros\" has \(count) bytes, but at most 16777216") == true)
      #expect(try archive.array(named: "zeros", byteLimit: count).header.shape == [count])
    }
  }

  @Test("Damaged members") func damagedMembers() {
    let size = small[directory + 24]
    #expect(
      changed((directory + 16, [0, 0, 0, 0]), (14, [0, 0, 0, 0]))
        == "x.npz: \"a.npy\": the checksum of its bytes is not that of the directory; the archive is "
        + "damaged, copy or save it again")
    #expect(changed((directory + 24, [size + 1]), (22, [size + 1])).contains("bytes were expected"))
    #expect(changed((directory + 24, [size - 1]), (22, [size - 1])).contains("bytes were expected"))
    // The first block says that it is of a kind that does not exist.
    #expect(changed((35, [0xFF])).contains("invalid block type"))
  }

  @Test("Every truncation is refused", arguments: ["stored", "deflated", "zip64", "descriptors"])
  func everyTruncationIsRefused(name: String) throws {
    let whole = try bytes(ofFile: fixture("\(name).npz"))
    for count in 0..<whole.count {
      #expect(throws: FileError.self) { try NPZArchive(parsing: Array(whole.prefix(count))) }
    }
  }

  @Test(
    "Flipped bytes give the arrays that were written, or an error",
    arguments: ["stored", "deflated", "zip64", "descriptors"])
  func flippedBytes(name: String) throws {
    let whole = try bytes(ofFile: fixture("\(name).npz"))
    var generator = SplitMix64(seed: 11)
    let original = try NPZArchive(parsing: whole)
    var refused = 0
    for _ in 0..<1000 {
      do throws(FileError) {
        let archive = try NPZArchive(parsing: flipped(whole, using: &generator), source: "x.npz")
        // A checksum covers every element; what may differ are dates, attributes and the like.
        for name in archive.names {
          let array = try archive.array(named: name)
          #expect(try original.array(named: name).encoded == array.encoded)
        }
      } catch {
        #expect("\(error)".hasPrefix("x.npz: "))
        refused += 1
      }
    }
    // The rest are dates, attributes and the like.
    #expect(refused > 600)
  }

  @Test("A missing library is named") func aMissingLibraryIsNamed() {
    let error = #expect(throws: ZlibFailure.self) {
      try ZlibLibrary(opening: ["libadjoint-none.so.1"])
    }
    #expect(error?.reason.contains("libadjoint-none.so.1") == true)
    let missing = #expect(throws: FileError.self) {
      try ZlibLibrary.required(for: "x.npz") { () throws(ZlibFailure) in
        throw ZlibFailure(reason: "no file")
      }
    }
    #expect(missing?.description.hasPrefix("x.npz: zlib cannot be used") == true)
    #expect(missing?.detail.contains("no file; install it") == true)
    // A library that is not zlib.
    #if os(Linux)
      let other = #expect(throws: ZlibFailure.self) { try ZlibLibrary(opening: ["libc.so.6"]) }
      #expect(other?.reason == "libc.so.6 has no function inflateInit2_")
    #endif
  }
}
