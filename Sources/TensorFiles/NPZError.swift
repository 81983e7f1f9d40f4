/// What is wrong with a `.npz` archive, and what to do about it.
public enum NPZError: Error, Equatable, Sendable {
  /// The file could not be read.
  case unreadable(source: String, reason: String)

  /// The file could not be written.
  case unwritable(source: String, reason: String)

  /// The file does not end as a ZIP archive does.
  case notZIP(source: String)

  /// The directory of the archive contradicts itself or the file.
  case malformed(source: String, detail: String)

  /// A member needs something of ZIP that is not supported.
  case unsupported(source: String, member: String, feature: String)

  /// The data of a member are not what the directory says.
  case damagedMember(source: String, member: String, detail: String)

  /// There is no array of this name.
  case unknownMember(source: String, name: String, nearest: [String], available: [String])

  /// An array is larger than the caller is willing to hold in memory; counts are in bytes.
  case tooLarge(source: String, member: String, byteCount: Int, limit: Int)

  /// More bytes of a member were asked for than are left.
  case beyondEnd(source: String, member: String, requested: Int, remaining: Int)

  /// The system's zlib, which deflated members need, cannot be used.
  case zlibMissing(reason: String)

  /// A member is no array that can be read.
  case invalidArray(NPYError)
}

extension NPZError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let source, let reason):
      return "\(source): cannot be read: \(reason)"
    case .unwritable(let source, let reason):
      return "\(source): cannot be written: \(reason)"
    case .notZIP(let source):
      return "\(source): the file does not end with the directory of a ZIP archive; it is no .npz "
        + "file, or was cut short: copy or save it again"
    case .malformed(let source, let detail):
      return "\(source): \(detail); the archive is damaged, save it again with numpy.savez"
    case .unsupported(let source, let member, let feature):
      return "\(source): \(quoted(member)) is \(feature), but stored or deflated members were "
        + "expected; save the archive again with numpy.savez"
    case .damagedMember(let source, let member, let detail):
      return
        "\(source): \(quoted(member)): \(detail); the archive is damaged, copy or save it again"
    case .unknownMember(let source, let name, let nearest, let available):
      return "\(source): there is no array \(quoted(name))"
        + (nearest.isEmpty
          ? "" : "; did you mean \(nearest.map { quoted($0) }.joined(separator: " or "))?")
        + "\nThe arrays are: "
        + available.prefix(100).map { quoted($0) }.joined(separator: ", ")
        + (available.count > 100 ? ", … and \(available.count - 100) more" : "")
    case .tooLarge(let source, let member, let byteCount, let limit):
      return "\(source): \(quoted(member)) has \(byteCount) bytes, but at most \(limit) were "
        + "expected; read it as a stream, or raise the limit"
    case .beyondEnd(let source, let member, let requested, let remaining):
      return "\(source): \(counted(requested, "byte")) of \(quoted(member)) were asked for, but "
        + "\(remaining) are left; check the shape in its header"
    case .zlibMissing(let reason):
      return "zlib cannot be used, which deflated arrays need: \(reason); install it (Debian and "
        + "Ubuntu: zlib1g, Fedora: zlib-ng-compat, Alpine: zlib)"
    case .invalidArray(let error):
      return error.description
    }
  }
}
