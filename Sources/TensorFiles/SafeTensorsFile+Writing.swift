import Autodiff

extension SafeTensorsFile {
  /// Writes a file in one piece: a reader sees the old file or the new one, never a part.
  ///
  /// - Parameters:
  ///   - tensors: The tensors with their names; they keep their order within a size of elements,
  ///     the largest first, so that all are aligned.
  ///   - metadata: Any texts.
  /// - Precondition: Names are different, none is `__metadata__`, no key of the metadata starts with
  ///   `adjoint.`, and no tensor is being differentiated (see `stopGradient`).
  /// - Throws: A `FileError` of the kind `unwritable`.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:],
    to path: String
  ) throws(FileError) {
    if let key = metadata.keys.first(where: { $0.hasPrefix("adjoint.") }) {
      stop("SafeTensorsFile.write", "the key \(quoted(key)) of the metadata is reserved")
    }
    try write(tensors, allMetadata: metadata, to: path)
  }

  package static func write(
    _ tensors: [(name: String, tensor: Tensor)], allMetadata metadata: [String: String],
    to path: String
  ) throws(FileError) {
    var names: Set = [ExactName("__metadata__")]
    for (name, _) in tensors where !names.insert(ExactName(name)).inserted {
      stop("SafeTensorsFile.write", "\(quoted(name)) cannot name a tensor, or names two")
    }
    // Stable, because the standard library's sort is not documented to be.
    let ordered = tensors.enumerated().sorted { a, b in
      (-a.element.tensor.scalarType.byteCount, a.offset)
        < (-b.element.tensor.scalarType.byteCount, b.offset)
    }.map(\.element)

    let start = #"{"__metadata__":{"\#(checksumKey)":""#
    var text = start + #"00000000","\#(formatKey)":"\#(format)""#
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      text += ",\(jsonString(key)):\(jsonString(value))"
    }
    text += "}"
    var offset = 0
    for (name, tensor) in ordered {
      let end = offset + tensor.elementCount * tensor.scalarType.byteCount
      let sizes = tensor.shape.map(String.init).joined(separator: ",")
      text += ",\(jsonString(name)):{\"dtype\":\"\(typeName(tensor.scalarType))\","
      text += "\"shape\":[\(sizes)],\"data_offsets\":[\(offset),\(end)]}"
      offset = end
    }
    text += "}"
    text += String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
    guard text.utf8.count <= headerLimit else {
      throw FileError(.unwritable, path, "names and metadata have more than 100 MB")
    }
    let length = (0..<8).map { UInt8(truncatingIfNeeded: text.utf8.count >> (8 * $0)) }
    var header = length + Array(text.utf8)
    let data = ordered.map { littleEndianBytes(of: $0.tensor) }
    var checksum = CRC32(header)
    for piece in data { checksum.update(piece) }
    let digits = 8 + start.utf8.count
    header.replaceSubrange(
      digits..<(digits + 8), with: hexadecimal(checksum.value, digits: 8).utf8)
    try AtomicFile.write([header] + data, to: path)
  }

  private static func typeName(_ type: ScalarType) -> String {
    let stored = StoredScalarType(type)
    return SafeTensorsHeader.typeNames.first { $0.value == stored }?.key ?? ""
  }
}
