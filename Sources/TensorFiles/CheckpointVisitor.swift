import Autodiff

/// What a value shows its parts to when a checkpoint is written or read; made by the library, handed
/// to `Checkpointable.visitCheckpoint`.
///
/// Parts of parts have the names of both, joined by `/`.
public struct CheckpointVisitor {
  private enum Task {
    case write
    case read(SafeTensorsFile)
  }

  static let versionKey = "adjoint.checkpoint"
  static let version = "1"
  static let typeKey = "adjoint.checkpoint.type"
  /// What the keys of values start with in the metadata.
  private static let valueKey = "value:"

  private let task: Task
  private var prefix = ""
  /// The parts so far: names of tensors, and keys of values.
  private var visited: Set<ExactName> = []

  private(set) var tensors: [(name: String, tensor: Tensor)] = []
  private(set) var values: [String: String] = [:]

  private var missing: [String] = []
  private var different: [String] = []
  private var damage: FileError?

  static func writing() -> CheckpointVisitor { CheckpointVisitor(task: .write) }
  static func reading(_ file: SafeTensorsFile) -> CheckpointVisitor {
    CheckpointVisitor(task: .read(file))
  }

  private init(task: Task) { self.task = task }

  /// Why the file is not of the value that was visited, or nil.
  var error: FileError? {
    guard case .read(let file) = task else { return nil }
    if let damage { return damage }
    let keys = file.metadata.keys.filter { $0.hasPrefix(Self.valueKey) }.sorted()
    let unexpected =
      file.names.filter { !visited.contains(ExactName($0)) }
      + keys.filter { !visited.contains(ExactName($0)) }.map {
        String($0.dropFirst(Self.valueKey.count))
      }
    if missing.isEmpty && unexpected.isEmpty && different.isEmpty { return nil }
    return .otherContent(
      file.source,
      "the checkpoint is of another configuration or version of the program; continue with the one "
        + "that wrote it",
      missing: missing, unexpected: unexpected, different: different)
  }

  /// States what must hold of the parts; a file for which it does not is refused.
  ///
  /// For values that one part alone cannot show to be wrong, such as two arrays of different lengths.
  public mutating func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if case .read = task, !condition {
      different.append((prefix.isEmpty ? "" : "\(quoted(prefix)): ") + message())
    }
  }

  // MARK: Tensors

  /// Visits the tensors of a tree, whose number, shapes and scalar types do not change.
  public mutating func visit(_ tree: inout some TensorTree, _ name: String) {
    let whole = full(name)
    let names = tree.tensorPaths.map { $0.isEmpty ? whole : "\(whole)/\($0)" }
    for name in names { claim(name) }
    switch task {
    case .write:
      tensors += zip(names, tree.tensors).map { ($0, $1) }
    case .read(let file):
      do throws(FileError) {
        let match = try file.match(names, like: tree.tensors)
        missing += match.missing
        different += match.different
        if match.tensors.count == names.count { tree.tensors = match.tensors }
      } catch {
        damage = damage ?? error
      }
    }
  }

  /// Visits tensors whose number, shapes and scalar types are those of the file when it is read:
  /// state that is empty before the first step.
  public mutating func visit(growing tensors: inout [Tensor], _ name: String) {
    guard let count = count(tensors.count, kind: "tensors", name) else { return }
    let names = (0..<count).map { "\(full(name))/\($0)" }
    for name in names { claim(name) }
    switch task {
    case .write: self.tensors += zip(names, tensors).map { ($0, $1) }
    case .read(let file): tensors = names.compactMap { read($0, file) }
    }
  }

  /// Visits numbers, of which there may be any count.
  public mutating func visit(_ numbers: inout [Double], _ name: String) {
    let name = full(name)
    claim(name)
    switch task {
    case .write: tensors.append((name, Tensor(numbers)))
    case .read(let file):
      guard let tensor = read(name, file) else { return }
      guard tensor.rank == 1, tensor.scalarType == .float64 else {
        different.append(
          "\(quoted(name)) is \(tensor.shape) \(tensor.scalarType), but an array of float64 was "
            + "expected")
        return
      }
      numbers = tensor.elements(as: Double.self)
    }
  }

  private mutating func read(_ name: String, _ file: SafeTensorsFile) -> Tensor? {
    guard file.shape(named: name) != nil else {
      missing.append(name)
      return nil
    }
    do throws(FileError) {
      return try file.tensor(named: name)
    } catch {
      damage = damage ?? error
      return nil
    }
  }

  // MARK: Parts

  /// Visits a part that says itself what to remember.
  public mutating func visit(_ part: inout some Checkpointable, _ name: String) {
    visitPart(&part, name)
  }

  /// Visits a part that is a tree too, but says itself what to remember: more than its tensors.
  public mutating func visit(_ part: inout some TensorTree & Checkpointable, _ name: String) {
    visitPart(&part, name)
  }

  private mutating func visitPart(_ part: inout some Checkpointable, _ name: String) {
    requireValueType(type(of: part))
    let outer = prefix
    prefix = full(name)
    part.visitCheckpoint(&self)
    prefix = outer
  }

  /// Visits parts that say themselves what to remember, whose number does not change.
  public mutating func visit(_ parts: inout [some Checkpointable], _ name: String) {
    guard let count = count(parts.count, kind: "parts", name) else { return }
    guard count == parts.count else {
      different.append(
        "\(quoted(full(name))) has \(counted(count, "part")), but \(parts.count) were expected")
      return
    }
    let outer = prefix
    prefix = full(name)
    for index in parts.indices { visitPart(&parts[index], String(index)) }
    prefix = outer
  }

  // MARK: Names and texts

  private func full(_ name: String) -> String { prefix.isEmpty ? name : "\(prefix)/\(name)" }

  private mutating func claim(_ name: String) {
    if name.isEmpty || !visited.insert(ExactName(name)).inserted {
      stop(
        "Checkpointable",
        "\(quoted(name)) names two parts, or is empty; give every part a name of its own")
    }
  }

  /// The number of elements that an array has, or had when the file was written.
  private mutating func count(_ count: Int, kind: String, _ name: String) -> Int? {
    guard case .read(let file) = task else {
      visitValue(name, kind: kind, text: "\(count)") { _ in true }
      return count
    }
    // No file has more parts than entries; a larger number must not start a long loop.
    let limit = file.names.count + file.metadata.count
    var result: Int?
    visitValue(name, kind: kind, text: "") { text in
      result = Int(text).flatMap { 0...limit ~= $0 ? $0 : nil }
      return result != nil
    }
    return result
  }

  /// Writes a value as text, or reads it: `parse` takes the text and says whether it is one.
  mutating func visitValue(
    _ name: String, kind: String, text: @autoclosure () -> String, parse: (String) -> Bool
  ) {
    let key = Self.valueKey + full(name)
    claim(key)
    switch task {
    case .write:
      values[key] = "\(kind) \(text())"
    case .read(let file):
      guard let found = file.metadata[key] else {
        missing.append(full(name))
        return
      }
      if found.hasPrefix(kind + " "), parse(String(found.dropFirst(kind.count + 1))) { return }
      different.append(
        "\(quoted(full(name))) is \(quoted(found)), but a value of kind \(kind) was expected")
    }
  }
}
