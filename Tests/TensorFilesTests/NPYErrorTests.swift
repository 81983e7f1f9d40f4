import Autodiff
import TensorFiles
import TestSupport
import Testing

@Suite("Errors of NPY files") struct NPYErrorTests {
  /// A file of version 1.0 with any text as its header.
  private func file(_ header: String, data: Int = 0) -> [UInt8] {
    let text = Array(header.utf8)
    let length = [UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
    return [0x93] + Array("NUMPY".utf8) + [1, 0] + length + text
      + [UInt8](repeating: 0, count: data)
  }

  private func message(_ bytes: [UInt8]) -> String {
    do {
      _ = try NPYArray(parsing: bytes, source: "x.npy").tensor()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  private func header(
    _ shape: String, descr: String = "'<f8'", order: String = "False"
  ) -> String {
    "{'descr': \(descr), 'fortran_order': \(order), 'shape': \(shape), }\n"
  }

  @Test("A file that is no array is refused") func theFileItself() {
    #expect(
      message(Array("PK\u{3}\u{4}and more".utf8))
        == "x.npy: the file starts with the bytes [80, 75, 3, 4, 97, 110], but a .npy file starts "
        + "with [147, 78, 85, 77, 80, 89]; check that it is one (this is a ZIP archive, such as "
        + ".npz)")
    #expect(message([]) == message([0x93]).replacing("after 1", with: "after 0"))
    #expect(throws: FileError(.unreadable, "/", "it is a directory")) {
      try NPYArray(contentsOfFile: "/")
    }
    #expect(
      throws: FileError(.unreadable, "/no/x.npy", "no such file or directory")
    ) { try NPYArray(contentsOfFile: "/no/x.npy") }
    #expect(
      throws: FileError(.unwritable, "/no/x.npy", "the directory it should be in does not exist")
    ) { try NPYArray(Tensor(1)).write(toFile: "/no/x.npy") }
    var later = file(header("()"), data: 8)
    later[6] = 4
    #expect(message(later).contains("version 4.0 of the format"))
    later[6] = 1
    later[7] = 1
    #expect(message(later).contains("version 1.1 of the format"))
  }

  @Test("Sizes that do not fit the file are refused") func sizes() {
    let text = header("(2, 3)")
    let start = 10 + text.utf8.count
    #expect(
      message(file(text, data: 47))
        == "x.npy: \(start + 48) bytes were expected, but the file ends after \(start + 47); copy "
        + "or save it again")
    #expect(
      message(file(text, data: 49))
        == "x.npy: \(start + 48) bytes were expected, but the file has \(start + 49); the rest is "
        + "no part of the array")
    #expect(message(file(text, data: 48)) == "no error")
    // A petabyte is refused by the size of the file, before memory is asked for.
    #expect(message(file(header("(1000000, 1000000, 125)"))).contains("bytes were expected"))
    for shape in [
      "(9223372036854775807,)", "(4294967296, 4294967296)", "(0, 4294967296, 4294967296)",
      "(0, 2147483647, 1048576)",
    ] {
      #expect(message(file(header(shape))).contains("more elements than memory"), "\(shape)")
    }
    #expect(message(file(header("(1152921504606846975,)"))).contains("memory"))
    #expect(message(file(header("(4294967296, 0)"))).contains("is of no tensor"))
    #expect(message(file(header("(1, 1, 1, 1, 1, 1, 1, 1, 1)"), data: 8)).contains("at most 8"))
    #expect(
      message([0x93] + Array("NUMPY".utf8) + [2, 0, 255, 255, 255, 255]).contains("4294967295"))
  }

  @Test("Hostile headers") func hostileHeaders() {
    let texts: [(String, String)] = [
      ("", "a dictionary was expected"), ("{", "a key in quotes"),
      ("{'descr': '<f8'}", "a key 'shape'"), ("{'shape': (), 'descr': '<f8'}", "'fortran_order'"),
      (header("()") + "x", "nothing after the dictionary"), (header("()") + "\0", "nothing after"),
      (header("(-1,)"), "a whole number that is not negative"), (header("(3)"), "a comma after"),
      (header("(2 3)"), "a comma or the end of the tuple"), (header("(,)"), "a size"),
      (header("(2,,)"), "a size"), (header("(0x10,)"), "a comma"), (header("(1.5,)"), "a comma"),
      (header("(1_0,)"), "a comma"), (header("(+1,)"), "a size"), (header("[1, 2]"), "a tuple"),
      (header("None"), "a tuple"), (header("(99999999999999999999,)"), "fits 64 bits"),
      (header("(" + String(repeating: "1,", count: 65) + ")"), "at most 64 axes"),
      (header("((1,),)"), "a size"), (header("()", order: "false"), "True or False"),
      (header("()", order: "1"), "True or False"), (header("()", descr: "<f8"), "a type such as"),
      (header("()", descr: "'<f\\x38'"), "without escapes"), (header("()", descr: "'<f8"), "comma"),
      (header("()", descr: "b'<f8'"), "a type such as"), ("{'descr': '<f8", "a closing quote"),
      (header("()", descr: "'<f8', 'descr': '<f8'"), "once"), (header("(), 'x': 1"), "once"),
      (header("()", descr: "'é'"), "ASCII"), ("__import__('os')", "a dictionary"),
    ]
    for (text, expected) in texts {
      let found = message(file(text, data: 8))
      #expect(found.contains(expected), "\(text): \(found)")
    }
  }

  @Test("Types that no tensor has are refused") func types() {
    for descr in [
      "|O", "O", "<c16", "<U5", "|S3", "<M8[ns]", "<f16", "|f8", "=f8", "|V8", "", "<", "f8",
      "<f99",
    ] {
      let found = message(file(header("()", descr: "'\(descr)'"), data: 8))
      #expect(found.contains("x.npy: elements of type"), "\(descr): \(found)")
    }
    #expect(
      message(file(header("()", descr: "'|O'"))).contains("pickled objects are never loaded"))
    #expect(message(file(header("()", descr: "[('a', '<f8')]"))).contains("elements of type \"[("))
    #expect(
      throws: FileError(
        .otherContent, "tensor",
        "elements of type float64, but uint8 was expected; read it as a tensor")
    ) {
      try NPYArray(Tensor(1)).bytes()
    }
    var flags = file(header("(2,)", descr: "'|b1'"), data: 2)
    #expect(message(flags) == "no error")
    flags[flags.count - 1] = 2
    #expect(
      message(flags)
        == "x.npy: element 1 of type bool is 2, but 0 or 1 was expected; the file is damaged")
  }

  @Test("Every truncation is refused") func everyTruncationIsRefused() throws {
    for name in ["float32", "uint8fortran", "bool", "empty"] {
      let whole = try bytes(ofFile: fixture("\(name).npy"))
      for count in 0..<whole.count {
        #expect(throws: FileError.self) { try NPYArray(parsing: Array(whole.prefix(count))) }
      }
    }
  }

  @Test("Flipped bytes give an array that can be written and read back, or an error")
  func flippedBytes() throws {
    var generator = SplitMix64(seed: 3)
    var refused = 0
    for name in ["float32", "int64", "uint8fortran", "float16", "bool", "scalar"] {
      let whole = try bytes(ofFile: fixture("\(name).npy"))
      for _ in 0..<1000 {
        let damaged = flipped(flipped(whole, using: &generator), using: &generator)
        do throws(FileError) {
          let tensor = try NPYArray(parsing: damaged, source: "x.npy").tensor()
          let copy = NPYArray(tensor)
          let again = try NPYArray(parsing: copy.encoded, source: "copy").tensor()
          #expect(again.isBitwiseEqual(to: tensor))
        } catch {
          #expect("\(error)".hasPrefix("x.npy: "))
          refused += 1
        }
      }
    }
    // The rest falls into the elements, or into blanks of the header.
    #expect(refused > 2000)
  }
}
