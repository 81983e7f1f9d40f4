import Foundation
import Testing

/// The architecture as the sources have it: which module imports which, and which folder of a module
/// names the types of which other folder.
@Suite("Module graph")
struct ModuleGraphTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The library's modules in the order of the table in `Docs/Architecture.md`, lowest first.
  private static func modules() throws -> [String] {
    let text = try String(
      contentsOf: root.appending(path: "Docs/Architecture.md"), encoding: .utf8)
    return text.matches(of: /(?m)^\| `(\w+)` \|/).map { String($0.1) }.filter { $0 != "Examples" }
  }

  /// The Swift files of a module with their text: comments and string literals left out.
  private static func sources(_ module: String) throws -> [(folder: String, text: String)] {
    let folder = root.appending(path: "Sources/\(module)")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return try (files?.allObjects as? [URL] ?? []).filter { $0.pathExtension == "swift" }.map {
      let text = try String(contentsOf: $0, encoding: .utf8)
        .replacing(/"""(?s:.)*?"""/, with: "\"\"").replacing(/\/\/[^\n]*/, with: "")
        .replacing(/"(?:\\.|[^"\\\n])*"/, with: "\"\"")
      let path = $0.deletingLastPathComponent().standardizedFileURL.path
      return (String(path.dropFirst(folder.standardizedFileURL.path.count)), text)
    }
  }

  @Test("A module imports only modules above it in the table of the architecture")
  func importsPointUp() throws {
    let modules = try Self.modules()
    #expect(modules.count >= 10)
    let directories = try FileManager.default.contentsOfDirectory(
      atPath: Self.root.appending(path: "Sources").path)
    #expect(Set(directories) == Set(modules))
    for (rank, module) in modules.enumerated() {
      for source in try Self.sources(module) {
        for match in source.text.matches(of: /(?m)^(?:@\w+ |public )?import (\w+)/) {
          guard let imported = modules.firstIndex(of: String(match.1)) else { continue }
          #expect(imported < rank, "\(module) imports \(match.1)")
        }
      }
    }
  }

  /// Inside `Autodiff` a tensor knows the tape and the tape tensors: that module is one room.
  @Test(
    "No folder of a module knows a folder that knows it",
    arguments: [
      "TensorFiles", "Neural", "GradientCheck", "Inference", "Solvers", "Bilevel", "Orthogonal",
      "Econometrics",
    ])
  func foldersHaveNoCycle(_ module: String) throws {
    let sources = try Self.sources(module)
    var homes: [String: Set<String>] = [:]
    let declaration =
      /(?m)^(?:(?:public|package|final|indirect) )*(?:struct|class|enum|protocol|typealias) (\w+)/
    for source in sources {
      for match in source.text.matches(of: declaration) {
        homes[String(match.1), default: []].insert(source.folder)
      }
    }
    var edges: [String: [String: String]] = [:]
    for source in sources {
      for match in source.text.matches(of: /\b[A-Z]\w+\b/) {
        // A type is meant where one folder alone has the name.
        guard let home = homes[String(match.0)], home.count == 1, let folder = home.first,
          folder != source.folder
        else { continue }
        edges[source.folder, default: [:]][folder] = String(match.0)
      }
    }
    for start in edges.keys {
      for (next, name) in edges[start] ?? [:] {
        #expect(
          !Self.reaches(start, from: next, edges),
          "\(module)\(start) names \(name) of \(module)\(next), which leads back to it")
      }
    }
  }

  private static func reaches(
    _ goal: String, from start: String, _ edges: [String: [String: String]]
  ) -> Bool {
    var (seen, open): (Set<String>, [String]) = ([], [start])
    while let next = open.popLast() {
      if next == goal { return true }
      guard seen.insert(next).inserted else { continue }
      open += edges[next, default: [:]].keys
    }
    return false
  }
}
