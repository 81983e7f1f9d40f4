import Autodiff

extension TensorTree {
  /// Writes every tensor under its name of `tensorPaths` to a `.safetensors` file, in one piece.
  ///
  /// - Precondition: As for `SafeTensorsFile.write`.
  /// - Throws: A `FileError` of the kind `unwritable`.
  public func writeSafeTensors(
    to path: String, metadata: [String: String] = [:]
  ) throws(FileError) {
    try SafeTensorsFile.write(
      zip(tensorPaths, tensors).map { ($0, $1) }, metadata: metadata, to: path)
  }

  /// Replaces every tensor by that of its name in a `.safetensors` file.
  ///
  /// Names, shapes and scalar types of the file and the tree must be the same; half precision fits
  /// `float32`, and every integer type `int32` if the numbers do.
  ///
  /// - Throws: A `FileError`; then the tree is as it was. One of the kind `otherContent` names
  ///   everything that is missing, unexpected or different.
  public mutating func readSafeTensors(from path: String) throws(FileError) {
    let file = try SafeTensorsFile(contentsOfFile: path)
    let paths = tensorPaths
    let match = try file.match(paths, like: tensors)
    let known = Set(paths.map(ExactName.init))
    let unexpected = file.names.filter { !known.contains(ExactName($0)) }
    guard match.missing.isEmpty, unexpected.isEmpty, match.different.isEmpty else {
      throw .otherContent(
        path, "the file is not of this model; load it into one of the same structure",
        missing: match.missing, unexpected: unexpected, different: match.different)
    }
    tensors = match.tensors
  }
}

/// The tensors of a file that stand for others of the same names, shapes and types.
struct SafeTensorsMatch {
  var tensors: [Tensor] = []
  var missing: [String] = []
  var different: [String] = []
}

extension SafeTensorsFile {
  func match(_ names: [String], like models: [Tensor]) throws(FileError) -> SafeTensorsMatch {
    var match = SafeTensorsMatch()
    for (name, model) in zip(names, models) {
      guard let type = scalarType(named: name), let shape = shape(named: name) else {
        match.missing.append(name)
        continue
      }
      guard shape == Array(model.shape), type.scalarType == model.scalarType else {
        match.different.append(
          "\(quoted(name)) is \(shape) \(type), but \(model.shape) \(model.scalarType) was expected"
        )
        continue
      }
      match.tensors.append(try tensor(named: name))
    }
    return match
  }
}
