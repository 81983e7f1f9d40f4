import Autodiff

/// A value that a long run must remember to continue to the same bits: parameters, the state of
/// optimisers and random numbers, counters, curves.
///
/// One function names the parts for both directions, so that writing and reading cannot disagree:
///
///     struct Run: Checkpointable {
///       var model: MLP
///       var optimizer = Adam()
///       var generator = PhiloxGenerator(seed: 1)
///       var step = 0
///       var losses: [Double] = []
///       mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
///         visitor.visit(&model, "model")
///         visitor.visit(&optimizer, "optimizer")
///         visitor.visit(&generator, "generator")
///         visitor.visit(&step, "step")
///         visitor.visit(&losses, "losses")
///       }
///     }
///
///     try run.writeCheckpoint(to: "run.checkpoint")
///     try run.readCheckpoint(from: "run.checkpoint")
///
/// Before reading, the value must have the structure of the one that was written: the same type,
/// model and configuration.
public protocol Checkpointable {
  /// Visits every part to remember, always in the same order, and changes nothing else.
  mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor)
}

extension Checkpointable {
  /// Writes every part to a file, in one piece: whenever the program ends, the old file or the new
  /// one is there.
  ///
  /// The file is a `.safetensors` file. Tensors are tensors, arrays of numbers are tensors of
  /// `float64`, the rest is text in the metadata, and a checksum covers every byte.
  ///
  /// - Precondition: The value is no class, no two parts have the same name, and no tensor is being
  ///   differentiated.
  /// - Throws: A `FileError` of the kind `unwritable`.
  public func writeCheckpoint(to path: String) throws(FileError) {
    requireValueType(Self.self)
    var copy = self
    var visitor = CheckpointVisitor.writing()
    copy.visitCheckpoint(&visitor)
    var metadata = visitor.values
    metadata[CheckpointVisitor.versionKey] = CheckpointVisitor.version
    metadata[CheckpointVisitor.typeKey] = "\(Self.self)"
    try SafeTensorsFile.write(visitor.tensors, allMetadata: metadata, to: path)
  }

  /// Replaces every part by what a file remembers.
  ///
  /// - Precondition: As for `writeCheckpoint`.
  /// - Throws: A `FileError` if the file cannot be read, is damaged, or is of another type,
  ///   version or structure; then the value is as it was.
  public mutating func readCheckpoint(from path: String) throws(FileError) {
    try readCheckpoint(SafeTensorsFile(contentsOfFile: path))
  }

  package mutating func readCheckpoint(_ file: SafeTensorsFile) throws(FileError) {
    requireValueType(Self.self)
    let path = file.source
    guard let version = file.metadata[CheckpointVisitor.versionKey], file.isChecked,
      let type = file.metadata[CheckpointVisitor.typeKey]
    else {
      throw FileError(
        .otherContent, path,
        "the file is no checkpoint; expected one that writeCheckpoint wrote")
    }
    guard version == CheckpointVisitor.version else {
      throw FileError(
        .otherContent, path,
        "version \(quoted(version)) of checkpoints, but \(CheckpointVisitor.version) was expected; "
          + "continue with the program that wrote it")
    }
    guard type == "\(Self.self)" else {
      throw FileError(
        .otherContent, path,
        "a checkpoint of \(quoted(type)), but of \(quoted("\(Self.self)")) was expected; choose the "
          + "file of this program")
    }
    var copy = self
    var visitor = CheckpointVisitor.reading(file)
    copy.visitCheckpoint(&visitor)
    if let error = visitor.error { throw error }
    self = copy
  }
}

/// Refuses classes: a value is copied and refilled, which would overwrite a shared object.
func requireValueType<T>(_ type: T.Type) {
  if type is AnyObject.Type {
    stop(
      "Checkpointable", "\(type) is a class; a checkpoint is all or nothing, so make it a struct")
  }
}
