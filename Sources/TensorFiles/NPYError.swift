/// What is wrong with a `.npy` file, and what to do about it.
public enum NPYError: Error, Equatable, Sendable {
  /// The file could not be read.
  case unreadable(source: String, reason: String)

  /// The file could not be written.
  case unwritable(source: String, reason: String)

  /// The bytes do not start as a `.npy` file does.
  case notNPY(source: String, found: [UInt8])

  /// The version of the format is not 1.0, 2.0 or 3.0.
  case unsupportedVersion(source: String, major: Int, minor: Int)

  /// The header is longer than any array needs.
  case headerTooLong(source: String, length: Int, limit: Int)

  /// The header is not the text of a dictionary of type, order and shape; the offset is in the
  /// text.
  case malformedHeader(source: String, offset: Int, expected: String, found: String)

  /// The elements are of a type that no tensor has.
  case unsupportedType(source: String, descr: String)

  /// The shape is none of an array that fits memory.
  case invalidShape(source: String, shape: String, reason: String)

  /// The file ends before the header or the data do; counts are in bytes, from the start.
  case truncated(source: String, expected: Int, found: Int)

  /// Bytes follow the data; counts are in bytes, from the start.
  case trailingBytes(source: String, expected: Int, found: Int)

  /// An element, counted in row-major order, has a value that its tensor cannot hold.
  case invalidElement(
    source: String, index: Int, type: StoredScalarType, value: String, expected: String)

  /// Bytes were asked for, but the elements are not of type uint8.
  case notBytes(source: String, type: StoredScalarType)
}

extension NPYError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let source, let reason):
      return "\(source): cannot be read: \(reason)"
    case .unwritable(let source, let reason):
      return "\(source): cannot be written: \(reason)"
    case .notNPY(let source, let found):
      return "\(source): the file starts with the bytes \(found), but a .npy file starts with "
        + "\(NPYHeader.magic); check that it is one"
        + (found.starts(with: [0x50, 0x4B]) ? " (this is a ZIP archive, such as .npz)" : "")
    case .unsupportedVersion(let source, let major, let minor):
      return
        "\(source): version \(major).\(minor) of the format, but 1.0, 2.0 or 3.0 was expected; "
        + "save the array again with numpy.save"
    case .headerTooLong(let source, let length, let limit):
      return "\(source): a header of \(length) bytes, but at most \(limit) were expected; the file "
        + "is damaged, or not an array of numbers"
    case .malformedHeader(let source, let offset, let expected, let found):
      return "\(source): at \(offset) in the header, found \(quoted(found)), but \(expected) was "
        + "expected; the file is damaged, save the array again with numpy.save"
    case .unsupportedType(let source, let descr):
      return "\(source): elements of type \(quoted(descr)), but booleans, integers of 8 to 64 bits "
        + "or floating-point numbers of 16 to 64 bits were expected; "
        + (descr.hasSuffix("O")
          ? "pickled objects are never loaded, because loading one may run any program: convert the "
            + "array to numbers"
          : "convert it with numpy's astype")
    case .invalidShape(let source, let shape, let reason):
      return "\(source): the shape \(shape) \(reason)"
    case .truncated(let source, let expected, let found):
      return
        "\(source): \(expected) bytes were expected, but the file ends after \(found); copy or "
        + "save it again"
    case .trailingBytes(let source, let expected, let found):
      return
        "\(source): \(expected) bytes were expected, but the file has \(found); the rest is no "
        + "part of the array"
    case .invalidElement(let source, let index, let type, let value, let expected):
      return
        "\(source): element \(index) of type \(type) is \(value), but \(expected) was expected; "
        + (type == .bool ? "the file is damaged" : "rescale the array or save it as float64")
    case .notBytes(let source, let type):
      return "\(source): elements of type \(type), but uint8 was expected; read it as a tensor"
    }
  }
}
