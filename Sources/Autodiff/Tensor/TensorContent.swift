/// Whether values of a type can hold tensors, judged by their stored properties.
func canHoldTensors(_ type: Any.Type) -> Bool {
  var seen: Set<JudgedType> = []
  return canHoldTensors(type, inObject: false, &seen)
}

private struct JudgedType: Hashable {
  let type: ObjectIdentifier
  let inObject: Bool
}

/// - Parameters:
///   - inObject: Objects are not looked into, because other threads may be changing them: only what
///     their types say for certain counts.
///   - seen: Types that are being judged, because types may contain each other.
private func canHoldTensors(
  _ type: Any.Type, inObject: Bool, _ seen: inout Set<JudgedType>
) -> Bool {
  if type == Tensor.self { return true }
  guard !(type is any NoTree.Type), !isTrivial(type),
    seen.insert(JudgedType(type: ObjectIdentifier(type), inObject: inObject)).inserted
  else { return false }
  if let container = type as? any ElementContainer.Type {
    return container.elementTypes.contains { canHoldTensors($0, inObject: inObject, &seen) }
  }
  let isObject = type is AnyObject.Type
  // A tree may have ways of its own to keep tensors.
  if type is any TensorTree.Type, !isObject { return true }
  switch TypeKind(type) {
  case .enumeration, .optional, .existential: return !inObject
  case .structure, .tuple, .classObject:
    return StoredProperty.all(of: type).contains {
      $0.isStrong && canHoldTensors($0.type, inObject: inObject || isObject, &seen)
    }
  case .other: return false
  }
}

/// Whether values of a type are nothing but bits, such as numbers.
func isTrivial(_ type: Any.Type) -> Bool {
  func isTrivial<T>(_: T.Type) -> Bool { _isPOD(T.self) }
  return _openExistential(type, do: isTrivial)
}

/// A container of the standard library, whose elements are no stored properties.
protocol ElementContainer {
  static var elementTypes: [Any.Type] { get }
}

extension Optional: ElementContainer { static var elementTypes: [Any.Type] { [Wrapped.self] } }
extension Array: ElementContainer { static var elementTypes: [Any.Type] { [Element.self] } }
extension ArraySlice: ElementContainer { static var elementTypes: [Any.Type] { [Element.self] } }
extension ContiguousArray: ElementContainer {
  static var elementTypes: [Any.Type] { [Element.self] }
}
extension Set: ElementContainer { static var elementTypes: [Any.Type] { [Element.self] } }
extension Dictionary: ElementContainer {
  static var elementTypes: [Any.Type] { [Key.self, Value.self] }
}
