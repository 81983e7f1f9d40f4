/// What is wrong with a checkpoint, and what to do about it.
public enum CheckpointError: Error, Equatable, Sendable {
  /// The file cannot be read or written, or is damaged.
  case file(SafeTensorsError)

  /// The file is none that `writeCheckpoint` wrote.
  case notACheckpoint(source: String)

  /// The file was written by another version of the format.
  case otherVersion(source: String, expected: String, found: String)

  /// The file is a checkpoint of another type.
  case otherType(source: String, expected: String, found: String)

  /// The content of the file is not that of the program; `different` says how each part differs.
  case otherStructure(
    source: String, missing: [String], unexpected: [String], different: [String])
}

extension CheckpointError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file(let error):
      return error.description
    case .notACheckpoint(let source):
      return "\(source): the file is no checkpoint; expected one that writeCheckpoint wrote"
    case .otherVersion(let source, let expected, let found):
      return "\(source): version \(quoted(found)) of checkpoints, but \(expected) was expected; "
        + "continue with the program that wrote it"
    case .otherType(let source, let expected, let found):
      return
        "\(source): a checkpoint of \(quoted(found)), but of \(quoted(expected)) was expected; "
        + "choose the file of this program"
    case .otherStructure(let source, let missing, let unexpected, let different):
      return "\(source): the checkpoint is of another configuration or version of the program; "
        + "continue with the one that wrote it" + mismatch(missing, unexpected, different)
    }
  }
}
