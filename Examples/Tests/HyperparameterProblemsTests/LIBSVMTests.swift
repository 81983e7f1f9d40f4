import Autodiff
import HyperparameterProblems
import Testing

@Suite(" l i b s v m dataset") struct LIBSVMDatasetTests {
  @Test("Reads rows and fills in zeros") func readsRowsAndFillsInZeros() throws {
    let data = try LIBSVMDataset(parsing: "+1 1:0.5 3:-2\n-1.5e0 2:1e-3\n\n 7\t2:3 \n")
    #expect(data.labels == [1, -1.5, 7])
    #expect(data.featureCount == 3)
    let features = try data.features()
    #expect(features.shape == [3, 3])
    #expect(features.scalars == [0.5, 0, -2, 0, 1e-3, 0, 0, 3, 0])
  }

  @Test(arguments: ["\n", "\r\n", "\r"])
  func lineEndsCommentsAndBlankLines(end: String) throws {
    let lines = ["# head", "", "1 1:2 # of 2:9", "  ", "2 1:3#x", "\t# tail"]
    for suffix in ["", end] {
      let text = "\u{FEFF}" + lines.joined(separator: end) + suffix
      let data = try LIBSVMDataset(parsing: text)
      #expect(data.labels == [1, 2])
      let features = try data.features().scalars
      #expect(features == [2, 3])
    }
  }

  @Test("Feature count can be stated") func featureCountCanBeStated() throws {
    let data = try LIBSVMDataset(parsing: "1 2:5\n", featureCount: 4)
    let features = try data.features()
    #expect(features.shape == [1, 4])
    #expect(features.scalars == [0, 5, 0, 0])
    #expect(try LIBSVMDataset(parsing: "1\n2\n").featureCount == 0)
  }

  @Test("Omitted entries are known from written zeros")
  func omittedEntriesAreKnownFromWrittenZeros() throws {
    let data = try LIBSVMDataset(parsing: "1 1:1 2:2\n2 1:3\n3 1:0 2:4\n4\n5 2:6\n")
    let complete = data.droppingRowsWithOmittedEntries()
    #expect(complete.labels == [1, 3])
    #expect(complete.featureCount == 2)
    let features = try complete.features()
    #expect(features.shape == [2, 2])
    #expect(features.scalars == [1, 2, 0, 4])
    #expect(complete.droppingRowsWithOmittedEntries().labels == [1, 3])
  }

  /// Whatever is written is read back, to the last bit.
  @Test("Round trip") func roundTrip() throws {
    var generator = PhiloxGenerator(seed: 5)
    for _ in 0..<200 {
      let (rows, width) = (Int.random(in: 1...6, using: &generator), 5)
      var expected: [Double] = []
      var labels: [Double] = []
      var text = ""
      for _ in 0..<rows {
        labels.append(Double.random(in: -1e3...1e3, using: &generator))
        text += "\(labels[labels.count - 1])"
        for index in 1...width {
          let isOmitted = Bool.random(using: &generator)
          let value =
            isOmitted
            ? 0 : Double(bitPattern: UInt64.random(in: 1..<(2047 << 52), using: &generator))
          expected.append(value)
          if !isOmitted { text += " \(index):\(value)" }
        }
        text += "\n"
      }
      let data = try LIBSVMDataset(parsing: text, featureCount: width)
      #expect(data.labels == labels)
      let features = try data.features().scalars
      #expect(features == expected)
    }
  }
}

@Suite(" l i b s v m error") struct LIBSVMErrorTests {
  private func message(_ text: String, featureCount: Int? = nil) -> String {
    do {
      _ = try LIBSVMDataset(parsing: text, source: "t", featureCount: featureCount)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test("Labels") func labels() {
    #expect(
      message("1 1:2\n\nx 1:2\n")
        == "t, line 3, column 1: found \"x\", but a line starts with its label, a finite number; "
        + "correct it")
    #expect(message("1:2 2:3\n").hasSuffix("; put the label first"))
    #expect(message("1,2 1:3\n").contains("several labels to a row"))
    #expect(message("nan 1:3\n").contains("found \"nan\""))
    #expect(message("1e400 1:3\n").contains("found \"1e400\""))
  }

  @Test("Entries") func entries() {
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

  @Test("Indices") func indices() {
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

  @Test("Files") func files() {
    #expect(message("1 qid:4 1:2\n").contains("names a query (qid:)"))
    for text in ["", "\n\n", "# only\n"] {
      #expect(message(text).hasPrefix("t: the file has no rows"))
    }
    let error = #expect(throws: LIBSVMError.self) {
      try LIBSVMDataset(parsing: [0xFF, 0xFE, 0x31, 0], source: "u")
    }
    #expect(error?.description.contains("u: the file is UTF-16") == true)
  }

  @Test("One large index does not take all memory")
  func oneLargeIndexDoesNotTakeAllMemory() throws {
    for index in [2_147_483_647, 1_073_741_824] {
      let data = try LIBSVMDataset(parsing: "1 \(index):1\n", source: "t")
      let error = #expect(throws: LIBSVMError.self) { try data.features() }
      #expect(error?.description.hasPrefix("t: 1 rows of \(index) features are too many") == true)
    }
    // Sparse, but in proportion to the file.
    let sparse = try LIBSVMDataset(parsing: "1 1000000:1\n", source: "t")
    #expect(try sparse.features().shape == [1, 1_000_000])
  }

  @Test("whatever the bytes, reading ends with a table or a typed error that names the source")
  func hostileBytes() {
    var generator = PhiloxGenerator(seed: 7)
    let alphabet = [UInt8]("1209:. \t\n\r#-+eqid,\u{FEFF}é\0".utf8) + [0xFF, 0xC0]
    var accepted = 0
    for _ in 0..<50_000 {
      let length = Int.random(in: 0...16, using: &generator)
      let bytes = (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      do throws(LIBSVMError) {
        let data = try LIBSVMDataset(parsing: bytes, source: "fuzz")
        accepted += 1
        #expect(data.rowCount > 0 && data.labels.allSatisfy(\.isFinite))
        let complete = data.droppingRowsWithOmittedEntries()
        if data.featureCount < 10_000 {
          #expect(try data.features().shape == [data.rowCount, data.featureCount])
          #expect(try complete.features().shape == [complete.rowCount, data.featureCount])
        }
      } catch {
        #expect("\(error)".hasPrefix("fuzz"))
      }
    }
    #expect(accepted > 100)
  }
}

extension LIBSVMDataset {
  /// Rows of a text.
  init(parsing text: String, source: String = "t", featureCount: Int? = nil) throws(LIBSVMError) {
    try self.init(parsing: [UInt8](text.utf8), source: source, featureCount: featureCount)
  }
}
