import ExampleSupport
import Foundation
import Testing

@Suite("Reports") struct ReportTests {
  @Test("Significant digits") func significantDigits() {
    let cases: [(Double, String)] = [
      (0.131503775, "0.1315"), (3010, "3010"), (-0.0023349, "-0.002335"), (9.99996, "10.00"),
      (0, "0"), (1.5e-7, "1.500e-7"), (123_456_789, "1.235e8"), (123_456, "123456"),
      (.infinity, "∞"), (.nan, "–"),
    ]
    for (value, text) in cases { #expect(Numbers.significant(value) == text) }
    #expect(Numbers.short(5) == "5")
    #expect(Numbers.short(0.25) == "0.25")
    #expect(Numbers.short(100) == "100")
    #expect(Numbers.short(1e-5) == "1e-5")
    #expect(Numbers.short(-2.5e-9) == "-2.5e-9")
  }

  @Test("Numbers that are not finite, and zero") func otherNumbers() {
    #expect(Numbers.pValue(0.00099) == "<0.001")
    #expect(Numbers.pValue(0.28) == "0.280")
    #expect(Numbers.pStatement(1e-9) == "p < 0.001")
    #expect(Numbers.pStatement(0.05) == "p = 0.050")
    #expect(Numbers.fixed(-0.001, decimals: 2) == "0.00")
    #expect(Numbers.fixed(-1.005, decimals: 1) == "-1.0")
    #expect(Numbers.count(1_234_567) == "1,234,567")
    #expect(Numbers.count(-999) == "-999")
    #expect(Numbers.count(.min) == "-9,223,372,036,854,775,808")
  }

  @Test("Table columns are aligned") func tableColumnsAreAligned() {
    var table = TextTable(header: ["", "estimate", "p"])
    table.append(["educ", "0.13", "0.016"])
    table.append(["größe", "-12.5"])
    #expect(
      table.text() == """
                 estimate      p
          ──────────────────────
          educ       0.13  0.016
          größe     -12.5
        """)
  }

  @Test("Text is wrapped") func textIsWrapped() {
    #expect(wrapped("aa bb cc", width: 8, indent: 2) == "  aa bb\n  cc")
    #expect(wrapped("averylongword b", width: 6, indent: 1) == " averylongword\n b")
  }

  @Test("JSON is sorted and holds every number") func jsonIsSortedAndHoldsEveryNumber() {
    #expect(
      jsonText(["b": [1.5, .infinity], "a": [-.infinity, .nan, 0.1]])
        == """
        {
          "a" : [
            "-Infinity",
            "NaN",
            0.1
          ],
          "b" : [
            1.5,
            "Infinity"
          ]
        }

        """)
  }

  @Test("Files are replaced whole") func filesAreReplacedWhole() throws {
    let root = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: root) }
    let directory = try OutputDirectory(path: root + "/a/b")
    let path = directory.file("x.json")
    try writeJSON([1, 2, 3], to: path)
    try writeJSON([4], to: path)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "[\n  4\n]\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["x.json"])
    _ = try OutputDirectory(path: root + "/a/b/")

    let error = OutputError(path: path, reason: "there is a file of this name")
    #expect(throws: error) { try OutputDirectory(path: path) }
    #expect(throws: OutputError(path: root, reason: "it is a directory")) {
      try atomicWrite("x", to: root)
    }
    let missing = root + "/no/x.json"
    #expect(
      throws: OutputError(path: missing, reason: "the directory it should be in does not exist")
    ) { try atomicWrite("x", to: missing) }
  }

  @Test("places that cannot be written are told before the work, with the system's reason")
  func unusablePlaces() throws {
    let root = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: root) }
    try OutputDirectory.requireUsable(root + "/a/b")
    #expect(!FileManager.default.fileExists(atPath: root))
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    try atomicWrite("x", to: root + "/file")
    for (path, reason) in [
      (root + "/file", "there is a file of this name"),
      (root + "/file/a", "a part of its path is a file, not a directory"),
    ] {
      let error = OutputError(path: path, reason: reason)
      #expect(throws: error) { try OutputDirectory.requireUsable(path) }
      #expect(throws: error) { try OutputDirectory(path: path) }
    }
    #expect(throws: OutputError.self) { try OutputDirectory.requireUsable("") }
    try requireWritable(root + "/file")
    #expect(throws: OutputError(path: root, reason: "it is a directory")) {
      try requireWritable(root)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: root) == ["file"])
    #expect(isSameFile(root + "/file", root + "/./file"))
    #expect(!isSameFile("/dev/null", "/dev/null"))
  }

  @Test("Binned means") func binnedMeans() {
    let x = (0..<100).map { Double(99 - $0) }
    let bins = BinnedMeans(x: x, y: x.map { 2 * $0 }, count: 4)
    #expect(bins.points == [12.0, 37, 62, 87].map { SVGPoint($0, 2 * $0) })
    #expect(bins.intervals.allSatisfy { $0.upperBound > $0.lowerBound })
    #expect(BinnedMeans(x: [1, 2], y: [3, 5], count: 10).points == [SVGPoint(1.5, 4)])
    #expect(BinnedMeans(x: [], y: [], count: 3).points.isEmpty)
  }
}
