import TensorFiles
import Testing

/// Files as R, pandas and spreadsheet programs write them.
@Suite("CSV dialects") struct CSVDialectTests {
  @Test("semicolons and decimal commas, as spreadsheets and R's write.csv2 write them")
  func decimalCommas() throws {
    let table = try CSVTable(parsing: "y;x;z\n1,5;2,5;0\n-0,25;1e3;\n\"3,125\";4;NA\n")
    #expect(table.columnNames == ["y", "x", "z"])
    #expect(try table.numbers("y") == [1.5, -0.25, 3.125])
    #expect(try table.numbers("x") == [2.5, 1000, 4])
    #expect(try table.numbers("z") == [0, nil, nil])
    #expect(
      try CSVTable(parsing: "y;x\n12345678901234567890,5;1\n").numbers("y") == [
        12345678901234567890.5
      ])
  }

  @Test("with decimal points in the file a comma may separate thousands, and is refused")
  func thousands() throws {
    let table = try CSVTable(parsing: "y;x\n1,234;0.5\n", source: "t.csv")
    #expect(try table.numbers("x") == [0.5])
    let error = #expect(throws: FileError.self) { try table.numbers("y") }
    #expect(
      error?.description
        == "t.csv, line 2, column 1 (\"y\"): found \"1,234\", but a number was expected; write it "
        + "with a decimal point and without separators")
    let stated = CSVFormat(delimiter: ";", hasDecimalCommas: true)
    #expect(try CSVTable(parsing: "y;x\n1,234;0,5\n", format: stated).numbers("y") == [1.234])
    let points = CSVFormat(delimiter: ";", hasDecimalCommas: false)
    #expect(throws: FileError.self) {
      try CSVTable(parsing: "y;x\n1,5;2\n", format: points).numbers("y")
    }
  }

  @Test(
    "the delimiter is that of the header, as often as in the next line",
    arguments: [
      ("a,b\n1,2\n", ["a", "b"]), ("a;b\n1;2\n", ["a", "b"]), ("a\tb\n1\t2\n", ["a", "b"]),
      ("a|b\n1|2\n", ["a", "b"]), ("\"a;b\",c\n1,2\n", ["a;b", "c"]),
      ("x, in m;y;z\n1,5;2,5;3\n", ["x, in m", "y", "z"]), ("a;b,c\n1,2\n", ["a;b", "c"]),
      ("a b\n1\n", ["a b"]),
    ])
  func delimiters(text: String, names: [String]) throws {
    #expect(try CSVTable(parsing: text).columnNames == names)
  }

  @Test(
    "a first column without a name holds the names of rows",
    arguments: [
      "\"\",\"x\",\"y\"\n\"a\",1,2\n\"b\",3,4\n", ",x,y\na,1,2\nb,3,4\n",
      "\"x\",\"y\"\n\"a\",1,2\n\"b\",3,4\n",
    ])
  func rowNames(text: String) throws {
    let table = try CSVTable(parsing: text)
    #expect(table.columnNames == ["x", "y"])
    #expect(table.rowNames == ["a", "b"])
    #expect(table.rowCount == 2)
    #expect(try table.numbers("x") == [1, 3])
    #expect(try table.numbers("y") == [2, 4])
    #expect(
      try table.position(row: 1, column: "y").description.hasSuffix("line 3, column 7 (\"y\")")
        == text.hasPrefix("\""))
  }

  @Test(
    "a delimiter too many at the end of rows does not make the first column names",
    arguments: [
      "x,y\n1,2,\n3,4,\n", "x,y\n\"1\",2,\n\"3\",4,\n", "x,y\n\"a\",1,2\nb,3,4\n",
      "x,y\n\"a\",1,2\n\"b\",3\n",
    ])
  func notRowNames(text: String) {
    #expect(throws: FileError.self) { try CSVTable(parsing: text) }
  }

  @Test("columns without name and content, as spreadsheets leave them, are left out")
  func emptyColumns() throws {
    let table = try CSVTable(parsing: "a,b,,\n1,2,,\n3,4, ,\n")
    #expect(table.columnNames == ["a", "b"])
    #expect(try table.numbers("b") == [2, 4])
    #expect(throws: FileError.self) { try CSVTable(parsing: "a,b,\n1,2,\n3,4,5\n") }
  }

  @Test(
    "every spelling of nan is a missing number",
    arguments: [
      "nan", "NaN", "NAN", "Nan", "nAn", "-nan", "+NaN", "-NAN", "nan(ind)", "-nan(ind)",
      "NaN(0x7)",
      "snan", "1.#QNAN", "-1.#IND", " nan ", "#N/A", "NA", ".",
    ])
  func missingNumbers(text: String) throws {
    #expect(try CSVTable(parsing: "a,b\n\(text),1\n").numbers("a") == [nil])
    #expect(try CSVTable(parsing: "a,b\n\"\(text)\",1\n").numbers("a") == [nil])
  }

  @Test(
    "words that contain nan are no numbers", arguments: ["nana", "banan", "nan1", "nan(", "1.#INF"])
  func noNaN(text: String) throws {
    let table = try CSVTable(parsing: "a,b\n\(text),1\n")
    #expect(throws: FileError.self) { try table.numbers("a") }
  }

  @Test("names that differ only by how Unicode composes a letter are different names")
  func normalisation() throws {
    let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
    let table = try CSVTable(parsing: "\(composed),\(decomposed)\n1,2\n")
    #expect(try table.numbers(composed) == [1])
    #expect(try table.numbers(decomposed) == [2])
    var writer = CSVWriter(columnNames: [composed, decomposed])
    writer.append([1, 2])
    #expect(try CSVTable(parsing: writer.text).numbers(decomposed) == [2])
  }

  @Test("a header of 20,000 columns is read and searched in linear time", .timeLimit(.minutes(1)))
  func wideHeader() throws {
    let names = (0..<20_000).map { "column \($0)" }
    let text =
      names.joined(separator: ",") + "\n" + names.indices.map(String.init).joined(separator: ",")
    let table = try CSVTable(parsing: text)
    let clock = ContinuousClock()
    var values: [Double?] = []
    let time = try clock.measure { values = try names.flatMap { try table.numbers($0) } }
    #expect(values == names.indices.map(Double.init))
    #expect(time < .seconds(20))
  }

  @Test("what is written with decimal commas is read back")
  func writesDecimalCommas() throws {
    var writer = CSVWriter(columnNames: ["a", "b"], format: CSVFormat(hasDecimalCommas: true))
    writer.append([1.5, "x;y"])
    #expect(writer.text == "a;b\n1,5;\"x;y\"\n")
    #expect(try CSVTable(parsing: writer.text).numbers("a") == [1.5])
  }
}
