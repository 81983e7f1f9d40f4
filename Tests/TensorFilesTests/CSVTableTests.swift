import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite("CSV tables") struct CSVTableTests {
  @Test("Reads numbers and text") func readsNumbersAndText() throws {
    let table = try CSVTable(parsing: "a,b,name\n1,2.5,x\n-3,1e-3,y z\n")
    #expect(table.columnNames == ["a", "b", "name"])
    #expect(table.rowCount == 2)
    #expect(try table.numbers("a") == [1, -3])
    #expect(try table.numbers("b") == [2.5, 1e-3])
    #expect(try table.strings("name") == ["x", "y z"])
  }

  @Test(
    "Accepts every line end",
    arguments: ["a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4", "a,b\n1,2\n3,4"])
  func acceptsEveryLineEnd(text: String) throws {
    let table = try CSVTable(parsing: text)
    #expect(try table.numbers("a") == [1, 3])
    #expect(try table.numbers("b") == [2, 4])
  }

  @Test("Ignores byte order mark") func ignoresByteOrderMark() throws {
    let table = try CSVTable(parsing: "\u{FEFF}a,b\n1,2\n")
    #expect(table.columnNames == ["a", "b"])
  }

  @Test("Reads quoted fields") func readsQuotedFields() throws {
    let text = "\"na\"\"me\",\"b,c\"\n\"line one\r\nline \"\"two\"\"\",\"1,5\"\n\"\"\"\",\"\"\n"
    let table = try CSVTable(parsing: text)
    #expect(table.columnNames == ["na\"me", "b,c"])
    #expect(try table.strings("na\"me") == ["line one\r\nline \"two\"", "\""])
    #expect(try table.strings("b,c") == ["1,5", ""])
  }

  @Test("Reads Unicode") func readsUnicode() throws {
    let table = try CSVTable(parsing: "größe,名\n1,日本\n")
    #expect(table.columnNames == ["größe", "名"])
    #expect(try table.strings("名") == ["日本"])
  }

  @Test("Recognises missing values") func recognisesMissingValues() throws {
    let table = try CSVTable(parsing: "a,b\n,\nNA,.\n\"NA\",\"\"\n1, NaN \n  ,2\n")
    #expect(try table.numbers("a") == [nil, nil, nil, 1, nil])
    #expect(try table.numbers("b") == [nil, nil, nil, nil, 2])
    #expect(try table.strings("a") == [nil, nil, "NA", "1", "  "])
    #expect(try table.strings("b") == [nil, nil, "", nil, "2"])
  }

  @Test("Missing tokens can be chosen") func missingTokensCanBeChosen() throws {
    let format = CSVFormat(delimiter: ";", missingTokens: ["-999", "k.A."])
    let table = try CSVTable(parsing: "a;b\n-999;1,5\n3;k.A.\n", format: format)
    #expect(try table.numbers("a") == [nil, 3])
    #expect(try table.strings("b") == ["1,5", nil])
    let nan = try CSVTable(parsing: "a\nnan\n", format: CSVFormat(missingTokens: []))
    #expect(try nan.numbers("a").first??.isNaN == true)
  }

  @Test("Skips blank lines unless they are values") func skipsBlankLinesUnlessTheyAreValues() throws
  {
    let wide = try CSVTable(parsing: "\n\na,b\n\n1,2\n\n\n3,4\n\n")
    #expect(try wide.numbers("a") == [1, 3])
    let narrow = try CSVTable(parsing: "a\n1\n\n2\n")
    #expect(try narrow.numbers("a") == [1, nil, 2])
  }

  @Test("Trims unquoted names") func trimsUnquotedNames() throws {
    #expect(try CSVTable(parsing: "a, b ,\" c\"\n1,2,3").columnNames == ["a", "b", " c"])
  }

  @Test("Header only is a table without rows") func headerOnlyIsATableWithoutRows() throws {
    let table = try CSVTable(parsing: "a,b")
    #expect(table.rowCount == 0)
    #expect(try table.numbers("b").isEmpty)
  }

  @Test(
    "Parses number",
    arguments: [
      ("0", 0), ("+7", 7), ("-0.5", -0.5), (".25", 0.25), ("3.", 3), ("1E5", 1e5), ("1e+2", 100),
      (" 12\t", 12), ("0.1", 0.1), ("123456789012345678", 123_456_789_012_345_680),
      ("1.7976931348623157e308", .greatestFiniteMagnitude),
      ("4.9406564584124654e-324", .leastNonzeroMagnitude),
      ("1e-400", 0), ("0.30000000000000004", 0.30000000000000004), ("9007199254740993", 0x1p53),
      ("0.000000000000000000000000000000123", 1.23e-31), ("100000000000000000000000", 1e23),
      ("179769313486231570000000000000000000000", 1.7976931348623157e38),
      ("inf", .infinity), ("-Infinity", -.infinity),
    ])
  func parsesNumber(text: String, expected: Double) throws {
    #expect(try CSVTable(parsing: "a,b\n\(text),1\n").numbers("a") == [expected])
  }

  @Test(
    "Refuses what is no number",
    arguments: [
      "twelve", "1 2", "0x10", "1e", "e5", "--1", "1.2.3", "1,5", "-", "1e5.5", "٣", "1e999", "12a",
      "infinit", "1_000", "$5", "nana",
    ])
  func refusesWhatIsNoNumber(text: String) throws {
    let table = try CSVTable(parsing: "a,b\n0,1\n\"\(text)\",1\n", source: "t.csv")
    let error = #expect(throws: FileError.self) { try table.numbers("a") }
    #expect(error?.kind == .invalidValue)
    #expect(
      error?.position == TextPosition(source: "t.csv", line: 3, column: 1, columnName: "a"))
    #expect(error?.detail.hasPrefix("found \"\(text)\", but a number was expected; ") == true)
  }

  @Test("Fast and slow numbers agree") func fastAndSlowNumbersAgree() throws {
    var generator = SplitMix64(seed: 7)
    var text = "a\n"
    var expected: [Double] = []
    for _ in 0..<20_000 {
      let digits = Int.random(in: 1...25, using: &generator)
      var number = (0..<digits).map { _ in
        String(Int.random(in: 0...9, using: &generator))
      }.joined()
      if Bool.random(using: &generator) {
        let offset = Int.random(in: 0...digits, using: &generator)
        number.insert(".", at: number.index(number.startIndex, offsetBy: offset))
      }
      if Bool.random(using: &generator) {
        number += "e\(Int.random(in: -40...40, using: &generator))"
      }
      expected.append(try #require(Double(number)))
      text += number + "\n"
    }
    #expect(try CSVTable(parsing: text).numbers("a") == expected.map { $0 })
  }

  @Test("Reads a file larger than any buffer") func readsAFileLargerThanAnyBuffer() throws {
    var text = "x,y,z\n"
    for row in 0..<200_000 { text += "\(row),\(Double(row) / 8),\"q,\(row)\"\n" }
    let table = try CSVTable(parsing: text)
    #expect(table.rowCount == 200_000)
    #expect(try table.numbers("y").last == 199_999.0 / 8)
    #expect(try table.strings("z").last == "q,199999")
  }
}
