import ExampleSupport
import Foundation
import Testing

@Suite(" study") struct StudyTests {
  private struct Record: Codable, Equatable {
    let value: Double
  }

  private let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path

  private func file(_ options: [StudyOption], format: String = "test 1") -> StudyFile<Record> {
    StudyFile(path: path, format: format, options: options)
  }

  @Test("records are kept to the last bit, and what a kill left of a line is written anew")
  func recordsAreKept() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let options: [StudyOption] = [("--seed", "1")]
    do {
      let first = file(options)
      try first.open(resumes: false)
      try first.append(Record(value: 0.1))
      try first.append(Record(value: .infinity))
    }
    try atomicWrite(String(contentsOfFile: path, encoding: .utf8) + "{\"val", to: path)
    let second = file(options)
    try second.open(resumes: true)
    #expect(second.records == [Record(value: 0.1), Record(value: .infinity)])
    try second.append(Record(value: 3))
    let third = file(options)
    try third.read()
    #expect(third.records.map(\.value) == [0.1, .infinity, 3])
    try third.replace(by: [])
    try second.read()
    #expect(second.records.isEmpty)
  }

  @Test("a file that is not to be continued, of other options, or damaged is refused by name")
  func refusals() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(throws: StudyError.unreadable(path: path, reason: "no such file")) {
      try file([]).read()
    }
    try file([("--seed", "1"), ("--size", "9")]).replace(by: [Record(value: 1)])
    #expect(throws: StudyError.exists(path: path, count: 1)) { try file([]).open(resumes: false) }
    // Options that only one side names do not count.
    try file([("--size", "9"), ("--new", "x")]).read()
    let other = StudyError.otherOptions(path: path, option: "--seed", found: "1", wanted: "2")
    #expect(throws: other) { try file([("--seed", "2")]).read() }
    #expect(other.description.contains("--seed was 1 there and is 2 now"))
    #expect(throws: StudyError.otherFormat(path: path, found: "test 1", wanted: "test 2")) {
      try file([], format: "test 2").read()
    }
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try atomicWrite(text.replacing("value", with: "other"), to: path)
    #expect(throws: StudyError.damaged(path: path, line: 2)) { try file([]).read() }
    try atomicWrite("notes\n", to: path)
    #expect(throws: StudyError.damaged(path: path, line: 1)) { try file([]).read() }
  }

  @Test("every task is run once whatever the number of threads, and a failure ends the rest")
  func tasks() throws {
    for jobs in [1, 2, 7] {
      var found: Set<Int> = []
      let isComplete = try runConcurrently(
        Array(0..<40), jobs: jobs, making: { { $0 * $0 } }
      ) { found.insert($0) }
      #expect(isComplete && found == Set((0..<40).map { $0 * $0 }))
    }
    var kept = 0
    #expect(throws: StudyError.damaged(path: "x", line: 3)) {
      try runConcurrently(
        Array(0..<1000), jobs: 1,
        making: {
          { task in
            if task == 3 { throw StudyError.damaged(path: "x", line: 3) }
            Thread.sleep(forTimeInterval: 0.001)
            return task
          }
        }
      ) { _ in kept += 1 }
    }
    #expect(kept < 1000)
  }
}

@Suite(" column") struct ColumnTests {
  private struct Row: Encodable {
    let name: String
    let value: Double?

    static var columns: [Column<Row>] {
      [
        .init("name", csv: "term", json: "name", text: \.name),
        .init("value", csv: "estimate", json: "inner.value", .fixed(1)) { $0.value },
        .init(nil, csv: "double") { $0.value.map { 2 * $0 } },
      ]
    }

    func encode(to encoder: any Encoder) throws { try Self.columns.encode(self, to: encoder) }
  }

  @Test("one description of columns gives the table, the CSV file and the JSON")
  func columns() {
    let rows = [
      Row(name: "a", value: 1.25), Row(name: "b", value: nil), Row(name: "c", value: .nan),
    ]
    #expect(
      rows.table(Row.columns) == """
          name  value
          ───────────
          a       1.2
          b         —
          c         –
        """)
    #expect(rows.csv(Row.columns).text == "term,estimate,double\na,1.25,2.5\nb,,\nc,,\n")
    #expect(
      jsonText(rows, isIndented: false)
        == "[{\"inner\":{\"value\":1.25},\"name\":\"a\"},{\"name\":\"b\"},"
        + "{\"inner\":{\"value\":\"NaN\"},\"name\":\"c\"}]\n")
    #expect(!rows.dropFirst(3).map { $0 }.table(Row.columns, omitsEmpty: true).contains("value"))
  }

  @Test("lists and ranges of options are read, and refused with what there is")
  func options() throws {
    func letters(_ text: String) throws -> [Character] {
      try named("--x", text, all: ["a", "b"], known: "a, b, and all") {
        "ab".contains($0) ? $0.first : nil
      }
    }
    #expect(try letters("b, a") == ["b", "a"])
    #expect(try letters("all") == ["a", "b"])
    for (text, message) in [
      ("c", "--x: there is no 'c'; there are a, b, and all"), ("a,a", "--x names 'a' twice"),
      (",", "--x must name one at least"),
    ] {
      let error = #expect(throws: (any Error).self) { try letters(text) }
      #expect(error.map { "\($0)" }?.contains(message) == true)
    }
    let range = try statedRange("--r", "-1, 2", limit: 5, allowsPoint: false, example: "1,2")
    #expect(range == -1...2)
    for text in ["1", "2,1", "1,1", "0,6", "nan,1"] {
      #expect(throws: (any Error).self) {
        try statedRange("--r", text, limit: 5, allowsPoint: false, example: "1,2")
      }
    }
    #expect(CommaList<Int>(argument: "1, 2")?.values == [1, 2])
    for text in ["", "1,,2", "1,1", "x"] { #expect(CommaList<Int>(argument: text) == nil) }
  }
}
