import Autodiff
import TensorFiles
import TestSupport
import Testing

@Suite("Errors of SafeTensors files") struct SafeTensorsErrorTests {
  private func message(_ bytes: [UInt8]) -> String {
    do {
      let file = try SafeTensorsFile(parsing: bytes, source: "x")
      for name in file.names { _ = try file.tensor(named: name) }
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  private func message(header: String, data: Int = 0) -> String {
    let count = header.utf8.count
    let length = (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
    return message(length + Array(header.utf8) + [UInt8](repeating: 0, count: data))
  }

  private func entry(_ name: String, _ shape: String, _ offsets: String) -> String {
    "\"\(name)\":{\"dtype\":\"F64\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  @Test("Files that are none, or not there, are refused by name") func files() {
    #expect(
      message([1, 2])
        == "x: 8 bytes were expected, but the file ends after 2; copy or save it again")
    #expect(message([UInt8](repeating: 255, count: 9)).contains("a header of 18446744073709551615"))
    #expect(message([1, 225, 245, 5, 0, 0, 0, 0]).contains("a header of 100000001 bytes"))
    #expect(message([0, 225, 245, 5, 0, 0, 0, 0]).contains("100000008 bytes were expected"))
    #expect(message(header: "{}   ") == "no error")
    #expect(message(header: "{}", data: 1).contains("the rest belongs to no tensor"))
    #expect(throws: FileError(.unreadable, "/", "it is a directory")) {
      try SafeTensorsFile(contentsOfFile: "/")
    }
    #expect(
      throws: FileError(.unwritable, "/no/x", "the directory it should be in does not exist")
    ) { try [Tensor(1)].writeSafeTensors(to: "/no/x") }
  }

  @Test("Headers that contradict themselves are refused") func tensors() {
    let good = entry("a", "[2]", "[0,16]")
    #expect(message(header: "{\(good)}", data: 16) == "no error")
    #expect(message(header: "{\(good)}", data: 15).contains("the file ends after"))
    let cases: [(String, String)] = [
      ("{\(good),\(good)}", "is there twice"),
      ("{\(good),\(entry("b", "[1]", "[8,16]"))}", "starts at 8 of the data, but the one before"),
      ("{\(good),\(entry("b", "[1]", "[24,32]"))}", "ends at 16"),
      ("{\(entry("a", "[2]", "[0,15]"))}", "has 15 bytes, but [2] of float64 were expected"),
      ("{\(entry("a", "[2]", "[16,0]"))}", "a start and an end"),
      ("{\(entry("a", "[2]", "[0]"))}", "a start and an end"),
      ("{\(entry("a", "[9223372036854775807,2]", "[0,16]"))}", "larger than any memory"),
      ("{\(entry("a", "[9223372036854775808]", "[0,16]"))}", "a whole number"),
      ("{\(entry("a", "[-1]", "[0,16]"))}", "a whole number"),
      ("{\(entry("a", "[2.0]", "[0,16]"))}", "a comma"),
      ("{\(entry("a", "[02]", "[0,16]"))}", "whole"),
      ("{\(entry("a", "[true]", "[0,16]"))}", "a whole"),
      ("{\(entry("a", "[2,]", "[0,16]"))}", "whole"),
      ("{\(entry("a", "[1,1,1,1,1,1,1,1,2]", "[0,16]"))}", "at most 8 axes"),
      ("{\(entry("a", "[4294967296,0]", "[0,0]"))}", "shorter than 2³¹"),
      ("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[],\"data_offsets\":[0,1]}}", "\"F8_E4M3\""),
      ("{\"a\":{\"dtype\":\"F64\",\"shape\":[2]}}", "lacks"), ("{\"a\":{}}", "lacks"),
      ("{\"a\":{\"dtype\":\"F64\",\"dtype\":\"F64\"}}", "once"), ("{\"a\":{\"x\":1}}", "once"),
      ("{\"a\":[]}", "an object of dtype"),
    ]
    for (header, expected) in cases {
      let data = header.contains("[0,0]") ? 0 : 16
      let found = message(header: header, data: data)
      #expect(found.contains(expected), "\(header): \(found)")
    }
  }

  @Test("Headers that are no JSON are refused with the place") func text() {
    let cases: [(String, String)] = [
      ("", "an object"), ("[]", "an object"), ("{", "a text in quotes"),
      ("{}{}", "nothing after the object"), ("{}\0", "nothing after"), ("{\"a\"}", "a colon"),
      ("{,}", "a text in quotes"), ("{\"__metadata__\":{\"a\":1}}", "a text in quotes"),
      ("{\"__metadata__\":{\"a\":\"b\",}}", "a text in quotes"),
      ("{\"__metadata__\":{\"a\":\"b\" \"c\":\"d\"}}", "a comma"),
      ("{\"__metadata__\":{\"a\":\"b\",\"a\":\"b\"}}", "each key only once"),
      ("{\"__metadata__\":{},\"__metadata__\":{}}", "metadata only once"),
      ("{\"__metadata__\":{\"a\":\"\\x\"}}", "an escape"),
      ("{\"__metadata__\":{\"\\ud800\":\"\"}}", "an escape"),
      ("{\"__metadata__\":{\"\\u12\":\"\"}}", "an escape"),
      ("{\"__metadata__\":{\"\\u+123\":\"\"}}", "an escape"),
      ("{\"__metadata__\":{\"\\udc00\\ud800\":\"\"}}", "an escape"),
      ("{\"__metadata__\":{\"a\n\":\"\"}}", "control"),
      ("{\"__metadata__\":{\"a", "a closing quote"),
      ("{\"__metadata__\":{\"adjoint.crc32\":\"00000000\"}}", "should have both"),
      ("{\"__metadata__\":{\"adjoint.format\":\"1\"}}", "should have both"),
      ("{\"__metadata__\":{\"adjoint.format\":\"1\",\"adjoint.crc32\":\"0\"}}", "should have both"),
      (
        "{\"__metadata__\":{\"adjoint.format\":\"1\",\"adjoint.crc32\":\"00000000\"}}",
        "another checksum"
      ),
    ]
    for (header, expected) in cases {
      let found = message(header: header)
      #expect(found.contains(expected), "\(header): \(found)")
    }
    #expect(message([4, 0, 0, 0, 0, 0, 0, 0, 123, 34, 255, 34]).contains("UTF-8"))
    #expect(
      message(header: "{\"__metadata__\":{\"\\ud83d\\uDE00\\u00e9\":\"\\b\\/\"}}") == "no error")
  }

  @Test("a blank before the header and metadata of null are read, as other readers do")
  func lenience() {
    let good = entry("a", "[2]", "[0,16]")
    #expect(message(header: " {}") == "no error")
    #expect(message(header: "\n\t{\(good)}", data: 16) == "no error")
    #expect(message(header: "{\"__metadata__\":null}") == "no error")
    #expect(message(header: "{\"__metadata__\": null, \(good)}", data: 16) == "no error")
    #expect(message(header: "{\"__metadata__\":nul}").contains("an object of texts"))
    #expect(
      message(header: "{\"__metadata__\":null,\"__metadata__\":{}}").contains("only once"))
  }

  @Test(
    "an axis of size 0 does not hide that the others are absurd",
    arguments: [
      "[0,2147483647,2147483647,2147483647]", "[2147483647,0,2147483647]", "[2147483647,1048576,0]",
    ])
  func absurdShapes(shape: String) {
    #expect(message(header: "{\(entry("a", shape, "[0,0]"))}").contains("larger than any memory"))
  }

  @Test("names that differ only by how Unicode composes a letter are different names")
  func normalisation() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/x"
      try SafeTensorsFile.write([("\u{E9}", Tensor([1])), ("e\u{301}", Tensor([2]))], to: path)
      let file = try SafeTensorsFile(contentsOfFile: path)
      #expect(try file.tensor(named: "\u{E9}").scalars == [1])
      #expect(try file.tensor(named: "e\u{301}").scalars == [2])
    }
  }

  private func small() throws -> [UInt8] {
    try withTemporaryDirectory { directory in
      let tree = ["a": Tensor([1, 2]), "b": Tensor(mask: [true, false])]
      try tree.writeSafeTensors(to: "\(directory)/x", metadata: ["k": "v"])
      return try bytes(ofFile: "\(directory)/x")
    }
  }

  @Test("Every truncation is refused") func everyTruncationIsRefused() throws {
    for whole in [try small(), try bytes(ofFile: fixture("bfloat16.safetensors"))] {
      for count in 0..<whole.count {
        #expect(throws: FileError.self) {
          try SafeTensorsFile(parsing: Array(whole.prefix(count)))
        }
      }
    }
  }

  /// Every single byte, replaced by several others: with a checksum each of them is noticed.
  @Test("Every flipped byte is refused") func everyFlippedByteIsRefused() throws {
    let whole = try small()
    #expect(message(whole) == "no error")
    var generator = SplitMix64(seed: 2)
    for index in whole.indices {
      for _ in 0..<20 {
        var damaged = whole
        damaged[index] ^= UInt8.random(in: 1...255, using: &generator)
        #expect(message(damaged) != "no error", "\(index): \(damaged[index])")
      }
    }
  }

  @Test("Flipped bytes give tensors that can be written and read back, or an error")
  func flippedBytes() throws {
    var generator = SplitMix64(seed: 4)
    let whole = try bytes(ofFile: fixture("python.safetensors"))
    try withTemporaryDirectory { directory in
      var refused = 0
      for index in 0..<3000 {
        do throws(FileError) {
          let damaged = flipped(whole, using: &generator)
          let file = try SafeTensorsFile(parsing: damaged, source: "x")
          var tensors: [(name: String, tensor: Tensor)] = []
          // Of the whole file this one is refused, because it does not fit 32 bits.
          for name in file.names where name != "large" {
            tensors.append((name, try file.tensor(named: name)))
          }
          // On the disk now and then only, because that takes its time.
          guard index % 20 == 0 else { continue }
          try SafeTensorsFile.write(tensors, to: "\(directory)/x")
          let again = try SafeTensorsFile(contentsOfFile: "\(directory)/x")
          for (name, tensor) in tensors {
            #expect(try again.tensor(named: name).isBitwiseEqual(to: tensor))
          }
        } catch {
          #expect("\(error)".hasPrefix("x: "))
          refused += 1
        }
      }
      #expect(refused > 500)
    }
  }
}
