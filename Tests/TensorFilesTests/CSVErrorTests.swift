import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite("Errors of CSV files") struct CSVErrorTests {
  private func message(_ text: String) -> String {
    message([UInt8](text.utf8))
  }

  private func message(_ bytes: [UInt8]) -> String {
    do {
      _ = try CSVTable(parsing: bytes, source: "t.csv")
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test("Malformed text says where and what to do") func malformedTextSaysWhereAndWhatToDo() {
    #expect(
      message("a,b\n1,2\n3\n")
        == "t.csv, line 3, column 1: the row has 1 field, but the header has 2; add the missing "
        + "fields (an empty field stands for a missing value)")
    #expect(
      message("a,b\n\"x\ny\",2\n3,4,5,6\n")
        == "t.csv, line 4, column 5: the row has 4 fields, but the header has 2; remove the extra "
        + "fields, or quote a field that contains the delimiter")
    #expect(
      message("a,b\n1,\"2\n3,4\n")
        == "t.csv, line 2, column 3 (\"b\"): the quoted field that starts here never ends; add the "
        + "closing quote")
    #expect(
      message("a,b\né,\"2\"x,4\n")
        == "t.csv, line 2, column 3 (\"b\"): \"x\" follows the closing quote of a field, but a "
        + "delimiter or the end of the line was expected; write a quote inside a quoted field "
        + "as \"\"")
    #expect(
      message("a,b\n5\" pipe,2\n")
        == "t.csv, line 2, column 1 (\"a\"): the field \"5\\\" pipe\" contains a quote but does "
        + "not start with one; put the field in quotes and write the quote inside it as \"\"")
  }

  @Test("Header is checked") func headerIsChecked() {
    #expect(
      message("a,b,a\n1,2,3\n")
        == "t.csv, line 1, column 5: columns 1 and 3 of the header are both named \"a\"; rename "
        + "one of them")
    #expect(
      message("a,,b\n1,2,3\n")
        == "t.csv, line 1, column 3: column 2 of the header has no name; give every column a name")
    #expect(
      message("1,2.5\n3,4\n")
        == "t.csv, line 1, column 1: the first line holds only numbers (\"1\", …), but column "
        + "names were expected; add a header line, or quote the names if numbers are meant as names"
    )
    #expect(message("\"1990\",\"1991\"\n3,4\n") == "no error")
  }

  @Test("An empty file is refused", arguments: ["", "\u{FEFF}", "\n\n\r\n"])
  func emptyFile(text: String) {
    #expect(
      message(text)
        == "t.csv: the file is empty; expected a header line with the names of the columns")
  }

  @Test("Encoding is checked") func encodingIsChecked() {
    #expect(
      message([0x61, 0x2C, 0x62, 0x0A, 0xC3, 0xA9, 0x2C, 0xE9, 0x0A])
        == "t.csv, line 2, column 3: the byte 0xE9 is not UTF-8; save the file as UTF-8")
    #expect(message([0x61, 0x0A, 0xE2, 0x82]).contains("line 2, column 1: the byte 0xE2"))
    #expect(message([0xFF, 0xFE, 0x61, 0x00]).contains("the file is UTF-16"))
    for bytes: [UInt8] in [[0x61, 0, 0x2C, 0], [0, 0x61, 0, 0x2C]] {
      #expect(message(bytes).contains("line 1, column 1: the file is UTF-16"))
    }
  }

  @Test("Unknown column names the nearest") func unknownColumnNamesTheNearest() throws {
    let table = try CSVTable(parsing: "educ,exper,expersq,lwage\n1,2,3,4\n", source: "t.csv")
    let error = #expect(throws: FileError.self) { try table.numbers("Expr") }
    #expect(error?.kind == .unknownName && error?.source == "t.csv")
    #expect(error?.detail.contains("did you mean \"exper\"?") == true)
    let text = "\(try #require(throws: FileError.self) { try table.strings("eduk") })"
    #expect(
      text == "t.csv: there is no column \"eduk\"; did you mean \"educ\"?\n"
        + "The columns are: educ, exper, expersq, lwage")
    let other = try CSVTable(parsing: "a;b\n1;2\n", format: CSVFormat(delimiter: ","))
    let hint = "\(try #require(throws: FileError.self) { try other.numbers("a") })"
    #expect(hint.contains("another delimiter"))
  }

  @Test("Messages hide control characters and long text")
  func messagesHideControlCharactersAndLongText() throws {
    let long = String(repeating: "\u{1B}[31m", count: 1000)
    let table = try CSVTable(parsing: "a\n\"\(long)\"\n")
    let text = "\(try #require(throws: FileError.self) { try table.numbers("a") })"
    #expect(!text.contains("\u{1B}"))
    #expect(text.count < 400)
  }

  @Test("Unreadable files") func unreadableFiles() {
    #expect(throws: FileError(.unreadable, "/no/such.csv", "no such file")) {
      try CSVTable(contentsOfFile: "/no/such.csv")
    }
    #expect(throws: FileError(.unreadable, "/", "it is a directory")) {
      try CSVTable(contentsOfFile: "/")
    }
  }

  @Test("Hostile bytes give a table that can be written and read back, or an error with its place")
  func hostileBytes() throws {
    var generator = SplitMix64(seed: 99)
    let alphabet: [UInt8] = Array("\",\n\r a1.eE+-\u{FEFF}é;NA\0".utf8) + [0xFF, 0xC0, 0x80]
    var (tables, errors) = (0, 0)
    for _ in 0..<50_000 {
      let length = Int.random(in: 0...24, using: &generator)
      let bytes = (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      do throws(FileError) {
        let table = try CSVTable(parsing: bytes, source: "fuzz")
        tables += 1
        try requireRoundTrip(of: table)
        for name in table.columnNames { _ = try table.numbers(name) }
      } catch {
        errors += 1
        if ![.malformed, .invalidValue].contains(error.kind) || !"\(error)".hasPrefix("fuzz") {
          Issue.record("\(bytes): \(error)")
        }
      }
    }
    #expect(tables > 1000 && errors > 1000)
  }

  /// What a table holds as text is the same after it was written and read again.
  private func requireRoundTrip(of table: CSVTable) throws(FileError) {
    let format = CSVFormat(delimiter: ",", hasDecimalCommas: false)
    var writer = CSVWriter(columnNames: table.columnNames, format: format)
    var columns: [[String?]] = []
    for name in table.columnNames { columns.append(try table.strings(name)) }
    for row in 0..<table.rowCount {
      writer.append(columns.map { $0[row].map(CSVValue.text) ?? .missing })
    }
    let again = try CSVTable(parsing: writer.text, source: "again", format: format)
    for (name, column) in zip(table.columnNames, columns) {
      if try again.strings(name) != column { Issue.record("\(writer.text)") }
    }
    if again.columnNames != table.columnNames { Issue.record("\(writer.text)") }
  }
}
