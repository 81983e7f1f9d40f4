import Synchronization

/// What is known about a type of tree: the stored properties that may hold tensors, and whether its
/// visit was found to reach them all.
///
/// A tensor that a visit leaves out would silently be a constant. So the first visit of each type is
/// compared with the stored properties (see `VisitComparison`); later ones cost a look-up.
final class TreeType: Sendable {
  private static let known = TypeTable<TreeType>()

  /// Why a tree is refused.
  struct Omission {
    /// The property, such as `decoder.bias`; empty for the whole tree.
    let property: String
    let message: String
  }

  /// A stored property that may hold tensors.
  struct Property: @unchecked Sendable {
    // Safety of @unchecked Sendable: a description of a type, immutable.
    let stored: StoredProperty
    /// Visits the property of the value at an address; nil if its type is no tree.
    let visit: ((UnsafeMutableRawPointer, inout TensorVisitor) -> Void)?

    init(_ stored: StoredProperty) {
      self.stored = stored
      visit = (stored.type as? any TensorTree.Type).map { Self.visitor(stored, $0) }
    }

    private static func visitor<P: TensorTree>(
      _ stored: StoredProperty, _ type: P.Type
    ) -> (UnsafeMutableRawPointer, inout TensorVisitor) -> Void {
      { start, visitor in
        let address = (start + stored.offset).assumingMemoryBound(to: P.self)
        visitor.visit(&address.pointee, stored.name)
      }
    }
  }

  let properties: [Property]
  let isEnumeration: Bool
  private let isClass: Bool
  private let isReflected: Bool
  /// The cases of an enum whose visit was compared.
  private let cases = Mutex<Set<UInt>>([])

  private init(_ type: Any.Type) {
    let stored = StoredProperty.all(of: type)
    properties = stored.filter { $0.isStrong && canHoldTensors($0.type) }.map(Property.init)
    isEnumeration = TypeKind(type) == .enumeration
    isClass = type is AnyObject.Type
    isReflected = !isClass && !stored.isEmpty || isTrivial(type)
  }

  /// What is known about a type.
  static func of(_ type: any TensorTree.Type) -> TreeType {
    known.value(for: type) { TreeType(type) }
  }

  /// Visits the stored properties of a value in order.
  func visitProperties<T: TensorTree>(
    of type: T.Type, at start: UnsafeMutableRawPointer, _ visitor: inout TensorVisitor
  ) {
    guard isReflected else {
      stop(
        "TensorTree",
        """
        \(T.self) is \(isEnumeration ? "an enum" : isClass ? "a class" : "compiled without metadata"), \
        so its stored properties cannot be visited; write visitTensors
        """)
    }
    for property in properties { property.visit?(start, &visitor) }
  }

  /// Stops if the visit of a tree leaves out a tensor.
  @inline(__always)
  static func require<T: TensorTree>(_ tree: T) {
    if !known.isMarked(T.self) { requireCompared(tree) }
  }

  @inline(never)
  private static func requireCompared<T: TensorTree>(_ tree: T) {
    if let omission = omission(in: tree) { stop("TensorTree", omission.message) }
  }

  /// What the visit of a tree leaves out, if anything; its parts are asked when they are visited.
  static func omission<T: TensorTree>(in tree: T) -> Omission? {
    if known.isMarked(T.self) { return nil }
    let type = of(T.self)
    if type.isClass {
      // A tree is copied and refilled, which would overwrite a shared object.
      return Omission(
        property: "",
        message: "\(T.self) is a class; a tree is copied like a number, so make it a struct")
    }
    if type.isEnumeration, !isTrivial(T.self) {
      // Each case has a visit of its own.
      let identity = caseIdentity(of: tree)
      if type.cases.withLock({ $0.contains(identity) }) { return nil }
      if let omission = VisitComparison(tree, type).omission { return omission }
      type.cases.withLock { _ = $0.insert(identity) }
      return nil
    }
    if T.self is any ContainerTree.Type {
      known.mark(T.self)
      return nil
    }
    let comparison = VisitComparison(tree, type)
    if comparison.omission == nil, comparison.isComplete { known.mark(T.self) }
    return comparison.omission
  }
}
