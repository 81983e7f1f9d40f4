import Autodiff

/// An array of a `.npy` file, the format of `numpy.save`.
///
///     let x = try NPYArray(contentsOfFile: "x.npy").tensor()
///     try NPYArray(y).write(toFile: "y.npy")
///
/// Booleans, integers and floating-point numbers of either byte order are read; integers become
/// `int32` and are refused where one does not fit, half precision becomes `float32`. An array in
/// Fortran order is transposed, so that its elements are where NumPy shows them. Files are written
/// in version 1.0.
public struct NPYArray: Sendable {
  /// The name of the file, used in messages.
  public let source: String

  /// Type, shape and order of the elements, as the file has them.
  public let header: NPYHeader

  /// The elements in row-major order and the file's byte order.
  private let elements: [UInt8]

  /// Reads a file.
  ///
  /// - Throws: A `FileError` if the file cannot be read or is malformed; its size is compared with
  ///   its header before memory is taken for the elements.
  public init(contentsOfFile path: String) throws(FileError) {
    try self.init(reading: ByteSource(contentsOfFile: path))
  }

  /// Reads the bytes of a file.
  ///
  /// - Throws: A `FileError` if they are malformed.
  public init(parsing bytes: [UInt8], source: String = "bytes") throws(FileError) {
    try self.init(reading: ByteSource(bytes, name: source))
  }

  private init(reading file: ByteSource) throws(FileError) {
    var position = 0
    func next(_ count: Int) throws(FileError) -> [UInt8] {
      defer { position += count }
      return try file.read(position..<(position + count))
    }
    let header = try NPYHeader.read(total: file.byteCount, source: file.name, next: next)
    self.init(source: file.name, header: header, stored: try next(header.byteCount))
  }

  /// - Parameter stored: The elements as the file has them.
  init(source: String, header: NPYHeader, stored: [UInt8]) {
    self.source = source
    self.header = header
    elements =
      header.isFortranOrder
      ? rowMajor(
        stored, shape: header.shape, elementByteCount: header.scalarType.byteCount) : stored
  }

  /// The array to write for a tensor.
  ///
  /// - Precondition: The tensor is not being differentiated (see `stopGradient`).
  public init(_ tensor: Tensor) {
    source = "tensor"
    header = NPYHeader(
      scalarType: StoredScalarType(tensor.scalarType), isBigEndian: false,
      shape: Array(tensor.shape), isFortranOrder: false)
    elements = littleEndianBytes(of: tensor)
  }

  /// The array of `uint8` to write for bytes in row-major order.
  ///
  /// - Precondition: As many bytes as the shape has elements.
  public init(bytes: [UInt8], shape: [Int]) {
    guard shape.allSatisfy({ $0 >= 0 }), shape.reduce(1, *) == bytes.count else {
      stop("NPYArray", "shape \(shape) does not have \(bytes.count) elements")
    }
    source = "bytes"
    header = NPYHeader(
      scalarType: .uint8, isBigEndian: false, shape: shape, isFortranOrder: false)
    elements = bytes
  }

  /// The array as a tensor of `header.scalarType.scalarType`.
  ///
  /// - Throws: A `FileError` of the kind `invalidValue` for an integer that does not fit 32 bits, of
  ///   the kind `unsupported` for more axes, or longer ones, than a tensor has.
  public func tensor() throws(FileError) -> Tensor {
    guard let shape = Shape(checking: header.shape) else {
      throw FileError(
        .unsupported, source,
        "the shape \(header.shape) is of no tensor: at most \(Shape.maximumRank) axes shorter than "
          + "2³¹ were expected")
    }
    let conversion = StoredElements(type: header.scalarType, isBigEndian: header.isBigEndian)
    return try conversion.tensor(elements[...], shape: shape) { error in
      FileError(
        .invalidValue, source,
        "element \(error.index) of type \(conversion.type) is \(error.value), but "
          + "\(error.expected) was expected; "
          + (conversion.type == .bool
            ? "the file is damaged" : "rescale the array or save it as float64"))
    }
  }

  /// The elements of an array of `uint8`, in row-major order.
  ///
  /// - Throws: A `FileError` of the kind `otherContent` if they are of another type.
  public func bytes() throws(FileError) -> [UInt8] {
    guard header.scalarType == .uint8 else {
      throw FileError(
        .otherContent, source,
        "elements of type \(header.scalarType), but uint8 was expected; read it as a tensor")
    }
    return elements
  }

  /// Writes the file in one piece: a reader sees the old file or the new one, never a part.
  ///
  /// - Throws: A `FileError` of the kind `unwritable`.
  public func write(toFile path: String) throws(FileError) {
    try AtomicFile.write([encodedHeader, elements], to: path)
  }

  /// The bytes of the file.
  package var encoded: [UInt8] { encodedHeader + elements }

  /// The bytes of the file up to the elements, which are in row-major order.
  var encodedHeader: [UInt8] {
    NPYHeader(
      scalarType: header.scalarType, isBigEndian: header.isBigEndian, shape: header.shape,
      isFortranOrder: false
    ).encoded()
  }

  /// The bytes of the file behind the header.
  var encodedElements: [UInt8] { elements }
}

extension Shape {
  /// The shape of given sizes, or nil where no tensor has it.
  init?(checking sizes: [Int]) {
    guard sizes.count <= Shape.maximumRank, sizes.allSatisfy({ 0...Int(Int32.max) ~= $0 }) else {
      return nil
    }
    self.init(sizes)
  }
}
