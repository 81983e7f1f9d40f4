/// A stored property of a struct, a tuple or a class, as the runtime describes it.
struct StoredProperty {
  let name: String
  let type: Any.Type
  /// Bytes from the start of the value.
  let offset: Int
  /// False where the property does not keep its object alive (`weak`, `unowned`).
  let isStrong: Bool

  /// The stored properties of a type in order of declaration, those of superclasses first; none for
  /// other types, and for those compiled without reflection metadata.
  static func all(of type: Any.Type) -> [StoredProperty] {
    guard TypeKind(type).hasStoredProperties else { return [] }
    return (0..<recursiveCount(type)).map { index in
      var field = FieldMetadata()
      let propertyType = recursiveChildMetadata(type, index: index, fieldMetadata: &field)
      defer { field.free?(field.name) }
      return StoredProperty(
        name: field.name.map { String(cString: $0) } ?? String(index), type: propertyType,
        offset: recursiveChildOffset(type, index: index), isStrong: field.isStrong)
    }
  }

  /// The property of the value at an address.
  func value(at start: UnsafeRawPointer) -> Any {
    let address = start + offset
    func load<P>(_: P.Type) -> Any { address.assumingMemoryBound(to: P.self).pointee }
    return _openExistential(type, do: load)
  }

  /// The stored properties of a struct or tuple, with their values.
  static func values(in value: Any) -> [(StoredProperty, Any)] {
    func values<V>(_ value: V) -> [(StoredProperty, Any)] {
      withUnsafePointer(to: value) { start in
        all(of: V.self).map { ($0, $0.value(at: UnsafeRawPointer(start))) }
      }
    }
    return _openExistential(value, do: values)
  }
}

/// The kinds of type that matter here; numbers of the runtime's binary interface.
enum TypeKind {
  case structure, enumeration, optional, tuple, existential, classObject, other

  init(_ type: Any.Type) {
    self =
      switch metadataKind(type) {
      case 0x200: .structure
      case 0x201: .enumeration
      case 0x202: .optional
      case 0x301: .tuple
      case 0x303, 0x307: .existential
      // Pointers to an Objective-C class stand in the place of a number.
      case 0, 0x800...: .classObject
      default: .other
      }
  }

  var hasStoredProperties: Bool {
    switch self {
    case .structure, .tuple, .classObject: true
    default: false
    }
  }
}

/// The name of the case of an enum; one pointer for each case.
func caseIdentity<T>(of value: T) -> UInt { UInt(bitPattern: enumCaseName(value)) }

// MARK: - The runtime functions behind `Mirror`

/// Laid out as the runtime fills it.
private struct FieldMetadata {
  var name: UnsafePointer<CChar>?
  var free: (@convention(c) (UnsafePointer<CChar>?) -> Void)?
  var isStrong = false
  var isVariable = false
}

@_silgen_name("swift_getMetadataKind")
private func metadataKind(_: Any.Type) -> UInt

@_silgen_name("swift_reflectionMirror_recursiveCount")
private func recursiveCount(_: Any.Type) -> Int

@_silgen_name("swift_reflectionMirror_recursiveChildMetadata")
private func recursiveChildMetadata(
  _: Any.Type, index: Int, fieldMetadata: UnsafeMutablePointer<FieldMetadata>
) -> Any.Type

@_silgen_name("swift_reflectionMirror_recursiveChildOffset")
private func recursiveChildOffset(_: Any.Type, index: Int) -> Int

@_silgen_name("swift_EnumCaseName")
private func enumCaseName<T>(_ value: T) -> UnsafePointer<CChar>?
