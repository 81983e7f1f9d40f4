import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite("Writing CSV") struct CSVWriterTests {
  @Test("Quotes only where needed") func quotesOnlyWhereNeeded() {
    var writer = CSVWriter(columnNames: ["a", "b,c"])
    writer.append([1, "x"])
    writer.append([.number(0.1), "say \"hi\"\r\n"])
    writer.append([nil, ""])
    writer.append([.number(-0.0), "NA"])
    writer.append([1e300, " 5"])
    #expect(
      writer.text == "a,\"b,c\"\n1,x\n0.1,\"say \"\"hi\"\"\r\n\"\n,\"\"\n-0.0,\"NA\"\n"
        + "1e+300,\" 5\"\n")
  }

  /// Whatever is written is read back to the same bits.
  @Test(
    "What is written is read back",
    arguments: [CSVFormat.standard, CSVFormat(delimiter: "\t", missingTokens: ["-"])])
  func roundTrip(format: CSVFormat) throws {
    var generator = SplitMix64(seed: 2024)
    let pieces = [
      "a", "\"", ",", "\n", "\r", "\t", "é", "e\u{301}", " ", "NA", "-", "1", "\u{FEFF}",
    ]
    func randomText() -> String {
      let count = Int.random(in: 0...5, using: &generator)
      return (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    }
    for round in 0..<500 {
      let columnCount = 1 + round % 3
      // Texts that are canonically equal are the same column name to Swift.
      let names = (0..<columnCount).map { "\($0)\(randomText())" }
      var writer = CSVWriter(columnNames: names, format: format)
      let rows: [[CSVValue]] = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
        (0..<columnCount).map { column in
          if Int.random(in: 0..<5, using: &generator) == 0 { return .missing }
          if column % 2 == 1 { return .text(randomText()) }
          let number = Double(bitPattern: generator.next())
          return .number(number.isNaN ? 0.5 : number)
        }
      }
      for row in rows { writer.append(row) }

      let table = try CSVTable(parsing: writer.text, format: format)
      #expect(table.columnNames == names)
      #expect(table.rowCount == rows.count)
      for (column, name) in names.enumerated() {
        let read: [CSVValue]
        if column % 2 == 1 {
          read = try table.strings(name).map { $0.map(CSVValue.text) ?? .missing }
        } else {
          read = try table.numbers(name).map { $0.map(CSVValue.number) ?? .missing }
        }
        #expect(read == rows.map { $0[column] })
      }
    }
  }

  @Test("Writes a file") func writesAFile() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = directory.appending(path: "t.csv").path
    try "old content that is longer".write(toFile: path, atomically: false, encoding: .utf8)

    var writer = CSVWriter(columnNames: ["x"])
    writer.append([2.5])
    try writer.write(toFile: path)
    #expect(try CSVTable(contentsOfFile: path).numbers("x") == [2.5])
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["t.csv"])
  }

  @Test("Unwritable places") func unwritablePlaces() {
    let writer = CSVWriter(columnNames: ["x"])
    #expect(throws: FileError(.unwritable, "/", "it is a directory")) {
      try writer.write(toFile: "/")
    }
    let error = #expect(throws: FileError.self) { try writer.write(toFile: "/no/such/t.csv") }
    #expect(error.map { "\($0)".contains("/no/such/t.csv: cannot be written") } == true)
  }

  @Test("A row of the wrong width stops the program") func aRowOfTheWrongWidthStopsTheProgram()
    async
  {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var writer = CSVWriter(columnNames: ["a", "b"])
      writer.append([1])
    }
    let text = errorText(result)
    #expect(text.contains("a row of 1 value for a table of 2 columns"))
  }
}
