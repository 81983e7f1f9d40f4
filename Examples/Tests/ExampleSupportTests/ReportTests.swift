import ExampleSupport
import Foundation
import Testing

@Suite(" report") struct ReportTests {
  @Test("Json is sorted and holds every number") func jsonIsSortedAndHoldsEveryNumber() {
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
