/// The visit of a tree compared with its stored properties.
///
/// Every leaf is moved to memory of its own, and likewise every state. A property that still holds
/// the memory it held before was not visited. Nothing is assumed about names, order or how the
/// visit reaches a tensor.
struct VisitComparison {
  /// The first property that the visit leaves out.
  private(set) var omission: TreeType.Omission?
  /// Whether every property that can hold tensors was seen to be visited; an empty one may not be.
  private(set) var isComplete = false

  init<T: TensorTree>(_ tree: T, _ type: TreeType) {
    let before = Self.holdings(of: tree, type)
    omission = before.lazy.compactMap(\.omission).first
    guard omission == nil else { return }

    var probe = tree
    let visits = Self.moveLeaves { visitor in probe.visitTensors(&visitor) }
    let states = Self.moveLeaves { visitor in probe.visitState(&visitor) }

    let old = Set(before.flatMap(\.tensors).map { ObjectIdentifier($0.tensor.storage) })
    for holding in Self.holdings(of: probe, type) {
      let forgotten = holding.tensors.first { old.contains(ObjectIdentifier($0.tensor.storage)) }
      guard let forgotten else { continue }
      let isTree = holding.type is any TensorTree.Type
      omission = Self.omission(
        T.self, forgotten.path,
        "is a tensor that visitTensors leaves out"
          + (isTree ? "" : ", in a property of type \(holding.type), which is no tree"))
      return
    }
    let moved = Set(states.tensors.map { ObjectIdentifier($0.storage) })
    for (path, tensor) in probe.uncheckedLeaves
    where moved.contains(ObjectIdentifier(tensor.storage)) {
      omission = TreeType.Omission(
        property: path,
        message: """
          \(T.self).\(path) is both a leaf and state: training would change it in two ways. Mark it \
          @Constant, or leave it out of visitState
          """)
      return
    }

    var counts = visits.partTypes
    isComplete = before.allSatisfy { holding in
      let id = ObjectIdentifier(holding.type)
      let count = counts[id, default: 0]
      counts[id] = count - 1
      return count > 0 || !holding.tensors.isEmpty
    }
  }

  /// Gives every tensor of a visit memory of its own.
  ///
  /// - Returns: The new tensors, and how often the visit met parts of each type.
  private static func moveLeaves(
    _ visit: (inout TensorVisitor) -> Void
  ) -> (tensors: [Tensor], partTypes: [ObjectIdentifier: Int]) {
    var collector = TensorVisitor.collecting(checking: false)
    visit(&collector)
    let tensors = collector.tensors.map(\.moved)
    var filler = TensorVisitor.replacing(tensors, checking: false)
    visit(&filler)
    return (tensors, filler.partTypes)
  }

  private static func omission(
    _ type: Any.Type, _ path: String, _ fault: String
  ) -> TreeType.Omission {
    TreeType.Omission(
      property: path,
      message: """
        \(type).\(path) \(fault), so it would silently be a constant that is never trained. Visit it; \
        or make it a tree and leave visitTensors out, so that every stored property is visited; or \
        mark it @Constant if a constant is meant
        """)
  }

  /// What each stored property holds, or the payload of an enum.
  private static func holdings<T>(of value: T, _ type: TreeType) -> [Holding] {
    if type.isEnumeration {
      return Mirror(reflecting: value).children.map { child in
        var holding = Holding(type: T.self)
        holding.add(child.value, at: child.label ?? "")
        return holding
      }
    }
    return withUnsafePointer(to: value) { start in
      type.properties.map { property in
        var holding = Holding(type: property.stored.type)
        holding.add(
          property.stored.value(at: UnsafeRawPointer(start)), at: property.stored.name)
        if let object = holding.object {
          holding.omission = omission(
            T.self, object.path, "holds tensors in \(object.type), a class, which is no tree")
        }
        return holding
      }
    }
  }
}

/// The tensors that a stored property holds.
private struct Holding {
  let type: Any.Type
  var tensors: [(path: String, tensor: Tensor)] = []
  /// What a part of it leaves out.
  var omission: TreeType.Omission?
  /// An object that can hold tensors.
  var object: (path: String, type: Any.Type)?

  init(type: Any.Type) { self.type = type }

  /// Adds the tensors in a value.
  mutating func add(_ value: Any, at path: String) {
    let type = Swift.type(of: value)
    switch value {
    case let tensor as Tensor: tensors.append((path, tensor))
    case is any NoTree: return
    case let tree as any TensorTree:
      if let nested = TreeType.omission(in: tree) {
        let names = [path, nested.property].filter { !$0.isEmpty }
        omission = TreeType.Omission(
          property: names.joined(separator: "."), message: nested.message)
        return
      }
      tensors += tree.uncheckedLeaves.map { name, tensor in
        (name.isEmpty ? path : "\(path).\(name)", tensor)
      }
    default:
      if canHoldTensors(type) { addParts(of: value, type, at: path) }
    }
  }

  private mutating func addParts(of value: Any, _ type: Any.Type, at path: String) {
    if type is AnyObject.Type {
      object = (path, type)
    } else if TypeKind(type).hasStoredProperties, !(value is any ElementContainer) {
      for (property, part) in StoredProperty.values(in: value) where property.isStrong {
        // Elements of a tuple without names have numbers with a point.
        add(part, at: "\(path).\(property.name.drop { $0 == "." })")
      }
    } else {
      for (index, child) in Mirror(reflecting: value).children.enumerated() {
        let name = child.label ?? String(index)
        add(child.value, at: name == "some" ? path : "\(path).\(name)")
      }
    }
  }
}

extension TensorTree {
  /// The leaves with their names, without a comparison of the visit.
  fileprivate var uncheckedLeaves: [(path: String, tensor: Tensor)] {
    var copy = self
    var namer = TensorVisitor.naming(checking: false)
    copy.visitTensors(&namer)
    var collector = TensorVisitor.collecting(checking: false)
    copy.visitTensors(&collector)
    return Array(zip(namer.paths, collector.tensors)).map { (path: $0, tensor: $1) }
  }
}

extension Tensor {
  /// The same tensor in memory of its own; a large one without its values, for which no visit asks.
  fileprivate var moved: Tensor {
    let byteCount = elementCount * scalarType.byteCount
    let copy = Storage.allocate(byteCount: byteCount)
    if storage !== Storage.absent, byteCount <= 1 << 16 {
      copy.bytes.copyMemory(from: storage.bytes, byteCount: byteCount)
    }
    return Tensor(storage: copy, shape: shape, scalarType: scalarType, trace: tracing)
  }
}
