/// What is wrong with a `.safetensors` file, and what to do about it.
public enum SafeTensorsError: Error, Equatable, Sendable {
  /// The file could not be read.
  case unreadable(source: String, reason: String)

  /// The file could not be written.
  case unwritable(source: String, reason: String)

  /// The file ends before its header or its data do; counts are in bytes, from the start.
  case truncated(source: String, expected: Int, found: Int)

  /// Bytes follow the data; counts are in bytes, from the start.
  case trailingBytes(source: String, expected: Int, found: Int)

  /// The header is longer than the format allows.
  case headerTooLong(source: String, length: UInt64, limit: Int)

  /// The header is not the JSON text of tensors and metadata; the offset is in that text.
  case malformedHeader(source: String, offset: Int, expected: String, found: String)

  /// The header contradicts itself about a tensor.
  case invalidTensor(source: String, name: String, detail: String)

  /// The bytes are not those that were written.
  case damaged(source: String, detail: String)

  /// There is no tensor of this name.
  case unknownTensor(source: String, name: String, nearest: [String], available: [String])

  /// The tensors of the file are not those of the tree; `different` says how each differs.
  case otherTree(source: String, missing: [String], unexpected: [String], different: [String])
}

extension SafeTensorsError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let source, let reason):
      return "\(source): cannot be read: \(reason)"
    case .unwritable(let source, let reason):
      return "\(source): cannot be written: \(reason)"
    case .truncated(let source, let expected, let found):
      return
        "\(source): \(expected) bytes were expected, but the file ends after \(found); copy or "
        + "save it again"
    case .trailingBytes(let source, let expected, let found):
      return
        "\(source): \(expected) bytes were expected, but the file has \(found); the rest belongs "
        + "to no tensor"
    case .headerTooLong(let source, let length, let limit):
      return
        "\(source): a header of \(length) bytes, but at most \(limit) were expected; check that "
        + "it is a .safetensors file"
    case .malformedHeader(let source, let offset, let expected, let found):
      return "\(source): at \(offset) in the header, found \(quoted(found)), but \(expected) was "
        + "expected; check that it is a .safetensors file, and save it again"
    case .invalidTensor(let source, let name, let detail):
      return "\(source): the tensor \(quoted(name)) \(detail)"
    case .damaged(let source, let detail):
      return "\(source): \(detail); copy or save it again"
    case .unknownTensor(let source, let name, let nearest, let available):
      return "\(source): there is no tensor \(quoted(name))"
        + (nearest.isEmpty
          ? "" : "; did you mean \(nearest.map { quoted($0) }.joined(separator: " or "))?")
        + "\nThe tensors are: " + listed(available)
    case .otherTree(let source, let missing, let unexpected, let different):
      return "\(source): the file is not of this model; load it into one of the same structure"
        + mismatch(missing, unexpected, different)
    }
  }
}

/// A line for each way in which the content of a file is another one than expected.
func mismatch(_ missing: [String], _ unexpected: [String], _ different: [String]) -> String {
  (missing.isEmpty ? "" : "\nMissing in the file: " + listed(missing))
    + (unexpected.isEmpty ? "" : "\nOnly in the file: " + listed(unexpected))
    + different.prefix(20).map { "\n" + $0 }.joined()
    + (different.count > 20 ? "\n… and \(different.count - 20) more that differ" : "")
}

private func listed(_ names: [String]) -> String {
  names.prefix(50).map { quoted($0) }.joined(separator: ", ")
    + (names.count > 50 ? ", … and \(names.count - 50) more" : "")
}
