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
  init(parsing text: [UInt8], source: String) throws(SafeTensorsError) {
    self.source = source
    var scanner = JSONScanner(text: text, source: source)
    var hasMetadata = false
    var names: Set<ExactName> = []
    try scanner.require("{", "an object")
    while let name = try scanner.nextKey() {
      if name == "__metadata__" {
        guard !hasMetadata else { throw scanner.unexpected("metadata only once") }
        hasMetadata = true
        if !scanner.skipNull() { try parseMetadata(&scanner) }
      } else {
        guard names.insert(ExactName(name)).inserted else {
          throw .invalidTensor(source: source, name: name, detail: "is there twice")
        }
        entries.append(try parseEntry(&scanner, name))
      }
    }
    try scanner.requireEnd()
  }

  private mutating func parseMetadata(_ scanner: inout JSONScanner) throws(SafeTensorsError) {
    try scanner.require("{", "an object of texts")
    while let key = try scanner.nextKey() {
      guard metadata[key] == nil else { throw scanner.unexpected("each key only once") }
      metadata[key] = try scanner.string()
      metadataRanges[key] = scanner.lastString
    }
  }

  private func parseEntry(
    _ scanner: inout JSONScanner, _ name: String
  ) throws(SafeTensorsError) -> Entry {
    var typeName: String?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.require("{", "an object of dtype, shape and data_offsets")
    while let key = try scanner.nextKey() {
      switch key {
      case "dtype" where typeName == nil: typeName = try scanner.string()
      case "shape" where shape == nil: shape = try scanner.integers()
      case "data_offsets" where offsets == nil: offsets = try scanner.integers()
      default: throw scanner.unexpected("each of dtype, shape and data_offsets once")
      }
    }
    func invalid(_ detail: String) -> SafeTensorsError {
      .invalidTensor(source: source, name: name, detail: detail)
    }
    guard let typeName, let shape, let offsets, offsets.count == 2, offsets[0] <= offsets[1] else {
      throw invalid("lacks a dtype, a shape, or a start and an end of its data; save it again")
    }
    guard let type = Self.typeNames[typeName] else {
      throw invalid(
        "is of type \(quoted(typeName)), but one of "
          + Self.typeNames.keys.sorted().joined(separator: ", ") + " was expected; convert it")
    }
    guard let byteCount = type.byteCount(ofShape: shape) else {
      throw invalid("has the shape \(shape), larger than any memory")
    }
    guard byteCount == offsets[1] - offsets[0] else {
      throw invalid(
        "has \(offsets[1] - offsets[0]) bytes, but \(shape) of \(type) were expected to have "
          + "\(byteCount); save it again")
    }
    return Entry(name: name, scalarType: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  /// Sorts the tensors by their places, which must follow each other without gap or overlap; returns
  /// the size of the data.
  mutating func arrange() throws(SafeTensorsError) -> Int {
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        throw .invalidTensor(
          source: source, name: entry.name,
          detail: "starts at \(entry.range.lowerBound) of the data, but the one before it ends at "
            + "\(end); save it again")
      }
      end = entry.range.upperBound
    }
    return end
  }
}
