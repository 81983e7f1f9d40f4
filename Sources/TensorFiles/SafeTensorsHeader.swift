/// What a `.safetensors` file says before the data: its tensors and its metadata.
struct SafeTensorsHeader {
  /// A tensor of the file.
  struct Entry: Sendable {
    let name: String
    let scalarType: StoredScalarType
    let shape: [Int]
    /// The tensor's bytes, counted from the end of the header.
    let range: Range<Int>
  }

  private(set) var entries: [Entry] = []
  private(set) var metadata: [String: String] = [:]
  /// Where in the text the metadata values lie, as they are written.
  private(set) var metadataRanges: [String: Range<Int>] = [:]

  private let source: String

  static let typeNames: [String: StoredScalarType] = [
    "BOOL": .bool, "I8": .int8, "U8": .uint8, "I16": .int16, "U16": .uint16, "I32": .int32,
    "U32": .uint32, "I64": .int64, "U64": .uint64, "F16": .float16, "BF16": .bfloat16,
    "F32": .float32, "F64": .float64,
  ]

  /// Reads the JSON text.
  init(parsing text: [UInt8], source: String) throws(FileError) {
    self.source = source
    var scanner = HeaderScanner(
      text, source: source, advice: "check that it is a .safetensors file, and save it again")
    var hasMetadata = false
    var names: Set<ExactName> = []
    try scanner.require("{", "an object")
    while let name = try scanner.nextKey() {
      if name == "__metadata__" {
        guard !hasMetadata else { throw scanner.unexpected("metadata only once") }
        hasMetadata = true
        if !scanner.skip("null") { try parseMetadata(&scanner) }
      } else {
        guard names.insert(ExactName(name)).inserted else {
          throw invalid(name, "is there twice")
        }
        entries.append(try parseEntry(&scanner, name))
      }
    }
    try scanner.requireEnd(after: "object")
  }

  private mutating func parseMetadata(_ scanner: inout HeaderScanner) throws(FileError) {
    try scanner.require("{", "an object of texts")
    while let key = try scanner.nextKey() {
      guard metadata[key] == nil else { throw scanner.unexpected("each key only once") }
      (metadata[key], metadataRanges[key]) = try scanner.string()
    }
  }

  private func parseEntry(
    _ scanner: inout HeaderScanner, _ name: String
  ) throws(FileError) -> Entry {
    var typeName: String?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.require("{", "an object of dtype, shape and data_offsets")
    while let key = try scanner.nextKey() {
      switch key {
      case "dtype" where typeName == nil: typeName = try scanner.string().text
      case "shape" where shape == nil: shape = try scanner.integers()
      case "data_offsets" where offsets == nil: offsets = try scanner.integers()
      default: throw scanner.unexpected("each of dtype, shape and data_offsets once")
      }
    }
    guard let typeName, let shape, let offsets, offsets.count == 2, offsets[0] <= offsets[1] else {
      throw invalid(
        name, "lacks a dtype, a shape, or a start and an end of its data; save it again")
    }
    guard let type = Self.typeNames[typeName] else {
      throw invalid(
        name,
        "is of type \(quoted(typeName)), but one of "
          + Self.typeNames.keys.sorted().joined(separator: ", ") + " was expected; convert it")
    }
    guard let byteCount = type.byteCount(ofShape: shape) else {
      throw invalid(name, "has the shape \(shape), larger than any memory")
    }
    guard byteCount == offsets[1] - offsets[0] else {
      throw invalid(
        name,
        "has \(offsets[1] - offsets[0]) bytes, but \(shape) of \(type) were expected to have "
          + "\(byteCount); save it again")
    }
    return Entry(name: name, scalarType: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  private func invalid(_ name: String, _ detail: String) -> FileError {
    FileError(.malformed, source, "the tensor \(quoted(name)) \(detail)")
  }

  /// Sorts the tensors by their places, which must follow each other without gap or overlap; returns
  /// the size of the data.
  mutating func arrange() throws(FileError) -> Int {
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        throw invalid(
          entry.name,
          "starts at \(entry.range.lowerBound) of the data, but the one before it ends at "
            + "\(end); save it again")
      }
      end = entry.range.upperBound
    }
    return end
  }
}
