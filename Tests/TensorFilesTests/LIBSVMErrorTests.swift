import TensorFiles
import Testing

@Suite struct LIBSVMErrorTests {
  private func message(_ text: String, featureCount: Int? = nil) -> String {
    do {
      _ = try LIBSVMDataset(parsing: text, source: "t", featureCount: featureCount)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func labels() {
    #expect(
      message("1 1:2\n\nx 1:2\n")
        == "t, line 3, column 1: found \"x\", but a line starts with its label, a finite number; "
        + "correct it")
    #expect(message("1:2 2:3\n").hasSuffix("; put the label first"))
    #expect(message("1,2 1:3\n").contains("several labels to a row"))
    #expect(message("nan 1:3\n").contains("found \"nan\""))
    #expect(message("1e400 1:3\n").contains("found \"1e400\""))
  }

  @Test func entries() {
    #expect(
      message("1 1:2 3\n")
        == "t, line 1, column 7: found \"3\", but an entry index:value was expected, such as "
        + "3:-0.25; write the index, a colon and the value without blanks between them")
    #expect(message("1 1: 2\n").contains("column 3: found \"1:\""))
    #expect(message("1 :2\n").contains("column 3: found \":2\""))
    #expect(
      message("1 1:2\r\n1 1:2 2:x\r\n")
        == "t, line 2, column 9: found \"x\", but the value of an entry is a finite number; "
        + "correct it, or remove the entry if it is zero")
    #expect(message("1 1:2:3\n").contains("found \"2:3\""))
    #expect(message("1 1:inf\n").contains("found \"inf\""))
  }

  @Test func indices() {
    #expect(
      message("1 0:2\n")
        == "t, line 1, column 3: found the index \"0\", but indices are whole numbers from 1 to "
        + "2147483647; add 1 to every index of the file")
    #expect(message("1 -1:2\n").contains("index \"-1\""))
    #expect(message("1 1.5:2\n").contains("index \"1.5\""))
    #expect(message("1 2147483648:2\n").contains("index \"2147483648\""))
    #expect(message("1 99999999999999999999999:2\n").contains("correct it"))
    #expect(
      message("1 2:1 2:1\n")
        == "t, line 1, column 7: index 2 follows index 2, but indices increase along a line; "
        + "remove one of the two entries")
    #expect(message("1 3:1 2:1\n").hasSuffix("; sort the entries of the line"))
    #expect(
      message("1 3:1\n", featureCount: 2)
        == "t, line 1, column 3: found index 3, but 2 features were expected; remove the entry, "
        + "or expect more")
  }

  @Test func files() {
    #expect(message("1 qid:4 1:2\n").contains("names a query (qid:)"))
    for text in ["", "\n\n", "# only\n"] {
      #expect(message(text).hasPrefix("t: the file has no rows"))
    }
    #expect(throws: LIBSVMError.notASCII(source: "u")) {
      try LIBSVMDataset(parsing: [0xFF, 0xFE, 0x31, 0], source: "u")
    }
  }

  @Test func oneLargeIndexDoesNotTakeAllMemory() throws {
    let data = try LIBSVMDataset(parsing: "1 2147483647:1\n", source: "t")
    #expect(
      throws: LIBSVMError.tooLargeForMatrix(source: "t", rows: 1, features: 2_147_483_647)
    ) { try data.features() }
    // 15 bytes that ask for 8 GiB.
    let bomb = try LIBSVMDataset(parsing: "1 1073741824:1\n", source: "t")
    #expect(
      throws: LIBSVMError.tooLargeForMatrix(source: "t", rows: 1, features: 1_073_741_824)
    ) { try bomb.features() }
    // Sparse, but in proportion to the file.
    let sparse = try LIBSVMDataset(parsing: "1 1000000:1\n", source: "t")
    #expect(try sparse.features().shape == [1, 1_000_000])
  }

  /// Whatever the bytes, reading ends with rows or a typed error.
  @Test func hostileBytesNeverTrap() {
    var generator = SplitMix64(state: 7)
    let alphabet = [UInt8]("1209:. \t\n\r#-+eqid,\u{FEFF}é\0".utf8) + [0xFF, 0xC0]
    var accepted = 0
    for _ in 0..<50_000 {
      let length = Int.random(in: 0...16, using: &generator)
      let bytes = (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      do throws(LIBSVMError) {
        let data = try LIBSVMDataset(parsing: bytes, source: "fuzz")
        accepted += 1
        let complete = data.droppingRowsWithOmittedEntries()
        if data.featureCount < 10_000 { _ = (try data.features(), try complete.features()) }
      } catch {
        _ = "\(error)"
      }
    }
    #expect(accepted > 100)
  }
}
