import Autodiff
import HyperparameterProblems
import TensorFiles
import Testing

@Suite("Errors of LIBSVM files") struct LIBSVMErrorTests {
  private func message(_ text: String, featureCount: Int? = nil) -> String {
    do {
      _ = try LIBSVMDataset(parsing: text, source: "t", featureCount: featureCount)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test("A label that is no finite number is refused with its place") func labels() {
    #expect(
      message("1 1:2\n\nx 1:2\n")
        == "t, line 3, column 1: found \"x\", but a line starts with its label, a finite number; "
        + "correct it")
    #expect(message("1:2 2:3\n").hasSuffix("; put the label first"))
    #expect(message("1,2 1:3\n").contains("several labels to a row"))
    #expect(message("nan 1:3\n").contains("found \"nan\""))
    #expect(message("1e400 1:3\n").contains("found \"1e400\""))
  }

  @Test("An entry that is not index:value is refused with its place") func entries() {
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

  @Test("An index out of order or range is refused with advice") func indices() {
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
        == "t, line 1, column 3: found index 3, but 2 features were expected, as in the training "
        + "rows; remove the entry, or give two files with the same features")
  }

  @Test("Files that are none, or not there, are refused by name") func files() {
    #expect(message("1 qid:4 1:2\n").contains("names a query (qid:)"))
    for text in ["", "\n\n", "# only\n"] {
      #expect(message(text).hasPrefix("t: the file has no rows"))
    }
    let wide = #expect(throws: FileError.self) {
      try LIBSVMDataset(parsing: [0xFF, 0xFE, 0x31, 0], source: "u")
    }
    #expect(wide?.description.hasPrefix("u: the file is UTF-16") == true)
  }

  @Test("One large index does not take all memory") func oneLargeIndexDoesNotTakeAllMemory() throws
  {
    let data = try LIBSVMDataset(parsing: "1 2147483647:1\n", source: "t")
    let large = #expect(throws: FileError.self) { try data.features() }
    #expect(large?.description.hasPrefix("t: 1 row of 2147483647 features are too many") == true)
    // 15 bytes that ask for 8 GiB.
    let bomb = try LIBSVMDataset(parsing: "1 1073741824:1\n", source: "t")
    #expect(throws: FileError.self) { try bomb.features() }
    // Sparse, but in proportion to the file.
    let sparse = try LIBSVMDataset(parsing: "1 1000000:1\n", source: "t")
    #expect(try sparse.features().shape == [1, 1_000_000])
  }

  @Test("Hostile bytes give rows that can be written and read back, or an error with its place")
  func hostileBytes() {
    var generator = PhiloxGenerator(seed: 7)
    let alphabet = [UInt8]("1209:. \t\n\r#-+eqid,\u{FEFF}é\0".utf8) + [0xFF, 0xC0]
    var accepted = 0
    for _ in 0..<50_000 {
      let length = Int.random(in: 0...16, using: &generator)
      let bytes = (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      do throws(FileError) {
        let data = try LIBSVMDataset(parsing: bytes, source: "fuzz")
        accepted += 1
        let complete = data.droppingRowsWithOmittedEntries()
        #expect(complete.rowCount <= data.rowCount)
        guard data.featureCount < 1000 else { continue }
        let features = try data.features()
        let again = try LIBSVMDataset(parsing: text(of: features, data.labels), source: "again")
        #expect(again.labels == data.labels)
        let copies = try again.features().scalars
        #expect(copies == features.scalars, "\(bytes)")
      } catch {
        #expect("\(error)".hasPrefix("fuzz"), "\(bytes)")
        #expect([.malformed, .tooLarge].contains(error.kind), "\(bytes)")
      }
    }
    #expect(accepted > 100)
  }

  /// Rows as the format has them, with every entry.
  private func text(of features: Tensor, _ labels: [Double]) -> String {
    let (width, values) = (features.shape[1], features.scalars)
    return labels.enumerated().map { row, label in
      "\(label)" + (0..<width).map { " \($0 + 1):\(values[row * width + $0])" }.joined()
    }.joined(separator: "\n")
  }
}
