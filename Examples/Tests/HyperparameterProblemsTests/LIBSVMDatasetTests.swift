import Autodiff
import Foundation
import HyperparameterProblems
import TensorFiles
import Testing

@Suite("LIBSVM data") struct LIBSVMDatasetTests {
  @Test("Reads rows and fills in zeros") func readsRowsAndFillsInZeros() throws {
    let data = try LIBSVMDataset(parsing: "+1 1:0.5 3:-2\n-1.5e0 2:1e-3\n\n 7\t2:3 \n")
    #expect(data.labels == [1, -1.5, 7])
    #expect(data.featureCount == 3)
    let features = try data.features()
    #expect(features.shape == [3, 3])
    #expect(features.scalars == [0.5, 0, -2, 0, 1e-3, 0, 0, 3, 0])
  }

  @Test("Line ends comments and blank lines", arguments: ["\n", "\r\n", "\r"])
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
    #expect((0..<5).map(data.hasOmittedEntry) == [false, true, false, true, true])
    let complete = data.droppingRowsWithOmittedEntries()
    #expect(complete.labels == [1, 3])
    #expect(complete.featureCount == 2)
    let features = try complete.features()
    #expect(features.shape == [2, 2])
    #expect(features.scalars == [1, 2, 0, 4])
    #expect(complete.droppingRowsWithOmittedEntries().labels == [1, 3])
  }

  /// Whatever is written is read back, to the last bit.
  @Test("What is written is read back") func roundTrip() throws {
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

  @Test("Files are read, with or without a byte order mark") func readsFiles() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: url) }
    try Data("1 1:2\n".utf8).write(to: url)
    let data = try LIBSVMDataset(contentsOfFile: url.path)
    #expect(data.source == url.path)
    #expect(data.labels == [1])
    #expect(
      throws: FileError(.unreadable, "/no/such", "no such file")
    ) { try LIBSVMDataset(contentsOfFile: "/no/such") }
  }
}
