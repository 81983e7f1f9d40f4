/// What a tree shows its tensors to; made by the library, handed to `TensorTree.visitTensors`.
public struct TensorVisitor {
  private enum Task {
    case collect
    case replace([Tensor])
    case name
    case fingerprint
    case audit
  }

  private let task: Task
  /// Whether a visit of a type is compared with its stored properties; not within that comparison.
  private let isChecking: Bool
  private(set) var tensors: [Tensor] = []
  private var count = 0
  /// A number that trees with the same names of leaves share, and others do not.
  private(set) var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325
  /// What only some visits need: most are short, and making and freeing this would show.
  private let notes: Notes?

  private final class Notes {
    var prefix = ""
    var paths: [String] = []
    var omissions: [(path: String, omission: TreeType.Omission)] = []
    var partTypes: [ObjectIdentifier: Int] = [:]
    var depth = 0
  }

  /// The names of the leaves.
  var paths: [String] { notes?.paths ?? [] }
  /// What an audit found, with the path of the part.
  var omissions: [(path: String, omission: TreeType.Omission)] { notes?.omissions ?? [] }
  /// How often the tree itself visited parts of each type, in a visit without checks.
  var partTypes: [ObjectIdentifier: Int] { notes?.partTypes ?? [:] }

  static func collecting(checking: Bool = true) -> TensorVisitor {
    TensorVisitor(.collect, isChecking: checking, notes: checking ? nil : Notes())
  }
  static func naming(checking: Bool = true) -> TensorVisitor {
    TensorVisitor(.name, isChecking: checking, notes: Notes())
  }
  static func replacing(_ tensors: [Tensor], checking: Bool = true) -> TensorVisitor {
    TensorVisitor(.replace(tensors), isChecking: checking, notes: checking ? nil : Notes())
  }
  static func fingerprinting() -> TensorVisitor {
    TensorVisitor(.fingerprint, isChecking: true, notes: nil)
  }
  /// Collects what types of parts leave out, where others would stop.
  static func auditing() -> TensorVisitor {
    TensorVisitor(.audit, isChecking: false, notes: Notes())
  }

  private init(_ task: Task, isChecking: Bool, notes: Notes?) {
    self.task = task
    self.isChecking = isChecking
    self.notes = notes
  }

  /// Visits a part of a tree under a name: a property, or a key.
  public mutating func visit<Part: TensorTree>(_ part: inout Part, _ name: String) {
    // Most parts are tensors, about which there is nothing to know.
    if isChecking && Part.self != Tensor.self { TreeType.require(part) }
    switch task {
    case .collect, .replace: visitParts(of: &part)
    case .fingerprint:
      for byte in name.utf8 { mix(UInt64(byte)) }
      visitParts(of: &part)
      mix(Self.endOfPart)
    case .name, .audit:
      guard let notes else { return }
      let outer = notes.prefix
      notes.prefix = outer.isEmpty ? name : "\(outer).\(name)"
      if case .audit = task { audit(part) } else { visitParts(of: &part) }
      notes.prefix = outer
    }
  }

  /// Visits a part of a tree that has a position, not a name.
  public mutating func visit<Part: TensorTree>(_ part: inout Part, at index: Int) {
    switch task {
    case .collect, .replace: visit(&part, "")
    case .fingerprint:
      mix(UInt64(index) + 256)
      visit(&part, "")
    case .name, .audit: visit(&part, String(index))
    }
  }

  /// No byte of a name.
  private static var endOfPart: UInt64 { 0xFF }

  /// Fowler, Noll and Vo's hash, with whole numbers in place of bytes.
  private mutating func mix(_ number: UInt64) {
    fingerprint = (fingerprint ^ number) &* 0x100_0000_01B3
  }

  /// Visits the only part of a container, which has no name.
  mutating func visitContent<Part: TensorTree>(_ part: inout Part) {
    if isChecking && Part.self != Tensor.self { TreeType.require(part) }
    if case .audit = task { audit(part) } else { part.visitTensors(&self) }
  }

  private mutating func visitParts<Part: TensorTree>(of part: inout Part) {
    guard let notes else { return part.visitTensors(&self) }
    if notes.depth == 0 { notes.partTypes[ObjectIdentifier(Part.self), default: 0] += 1 }
    notes.depth += 1
    part.visitTensors(&self)
    notes.depth -= 1
  }

  mutating func visitLeaf(_ tensor: inout Tensor) {
    switch task {
    case .collect: tensors.append(tensor)
    case .name: if let notes { notes.paths.append(notes.prefix) }
    case .replace(let replacements):
      if count < replacements.count { tensor = replacements[count] }
    case .fingerprint, .audit: break
    }
    count += 1
  }

  /// Notes what the type of a part leaves out, and goes on with its parts where it leaves out
  /// nothing.
  mutating func audit<Part: TensorTree>(_ part: Part) {
    if let omission = TreeType.omission(in: part) {
      notes?.omissions.append((notes?.prefix ?? "", omission))
    } else {
      var copy = part
      copy.visitTensors(&self)
    }
  }

  func requireCount() {
    if case .replace(let replacements) = task, replacements.count != count {
      stop("TensorTree", "a tree of \(count) tensors was given \(replacements.count)")
    }
  }
}
