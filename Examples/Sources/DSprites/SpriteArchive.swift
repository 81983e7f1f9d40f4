import TensorFiles

/// The genuine images of one shape, read from the published file
/// `dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz`.
///
/// The 3 GB of pixels are streamed once, when the archive is read, and checked: every pixel is 0 or
/// 1, and every row of latents is the one its image must have. The 245,760 images of the shape are
/// kept at one bit for each pixel, 126 MB.
public struct SpriteArchive: SpriteSource {
  /// The shape whose images are kept.
  public let shape: SpriteShape

  private let layout: SpriteLayout
  private let images: SpriteImages

  /// Reads the file.
  ///
  /// - Throws: A `DSpritesError`, if the file cannot be read, is damaged, or is another data set.
  public init(
    contentsOfFile path: String, shape: SpriteShape = .heart
  ) throws(DSpritesError) {
    try self.init(contentsOfFile: path, shape: shape, layout: .full)
  }

  package init(
    contentsOfFile path: String, shape: SpriteShape, layout: SpriteLayout
  ) throws(DSpritesError) {
    let reader = try SpriteArchiveReader(contentsOfFile: path, layout: layout)
    // First the small members, so that another data set is refused at once.
    try reader.requireClasses()
    try reader.requireValues()
    images = try reader.images(of: shape)
    (self.shape, self.layout) = (shape, layout)
  }

  /// Refuses a file that is none of the data set by its headers, in an instant and without its
  /// contents.
  ///
  /// - Throws: A `DSpritesError`, as the initializer does.
  public static func requireHeaders(inFile path: String) throws(DSpritesError) {
    try SpriteArchiveReader(contentsOfFile: path, layout: .full).requireHeaders()
  }

  /// The same for the bytes of a file.
  ///
  /// - Parameter source: Where they are from, for messages.
  public static func requireHeaders(
    in bytes: [UInt8], source: String
  ) throws(DSpritesError) {
    let archive: NPZArchive
    do throws(FileError) { archive = try NPZArchive(parsing: bytes, source: source) } catch {
      throw .archive(error)
    }
    try SpriteArchiveReader(archive, layout: .full).requireHeaders()
  }

  /// - Precondition: Latents are of the shape that is kept.
  public func images(of latents: [SpriteLatents]) -> SpriteImages {
    var rows: [UInt64] = []
    rows.reserveCapacity(latents.count * SpriteImages.side)
    for latents in latents {
      guard latents.shape == shape, let index = layout.index(of: latents) else {
        fatalError("SpriteArchive: \(latents) was not kept; read the archive for its shape")
      }
      rows += images[index % layout.imagesPerShape]
    }
    return SpriteImages(rows: rows)
  }
}

/// Reads and checks the members of an archive of sprites.
struct SpriteArchiveReader {
  private let archive: NPZArchive
  private let layout: SpriteLayout

  /// Colour, shape, scale, orientation, x and y.
  private static let latentCount = 6

  init(contentsOfFile path: String, layout: SpriteLayout) throws(DSpritesError) {
    self.init(
      try refusing { () throws(FileError) in try NPZArchive(contentsOfFile: path) }, layout: layout)
  }

  init(_ archive: NPZArchive, layout: SpriteLayout) {
    (self.archive, self.layout) = (archive, layout)
  }

  /// Checks the type of the images, and the shapes of all that is read.
  func requireHeaders() throws(DSpritesError) {
    for member in ["latents_classes", "latents_values"] {
      let header = try refusing { () throws(FileError) in
        try archive.stream(ofMember: member).header
      }
      try require(header, of: member, shape: [layout.imageCount, Self.latentCount])
    }
    let header = try refusing { () throws(FileError) in try archive.stream(ofMember: "imgs").header
    }
    try requireImages(header)
  }

  /// Checks the indices of the latents: colour, shape, scale, orientation, x and y.
  func requireClasses() throws(DSpritesError) {
    try requireRows(of: "latents_classes") { latents in
      [
        0, Double(latents.shape.rawValue), Double(latents.scaleIndex),
        Double(latents.orientationIndex), Double(latents.xIndex), Double(latents.yIndex),
      ]
    }
  }

  /// Checks the numbers the latents stand for, in the same order.
  func requireValues() throws(DSpritesError) {
    try requireRows(of: "latents_values") { latents in
      [
        1, Double(latents.shape.rawValue + 1), latents.scale, latents.orientation, latents.x,
        latents.y,
      ]
    }
  }

  private func requireRows(
    of member: String, _ row: (SpriteLatents) -> [Double]
  ) throws(DSpritesError) {
    let header = try refusing { () throws(FileError) in
      try archive.stream(ofMember: member).header
    }
    let width = Self.latentCount
    try require(header, of: member, shape: [layout.imageCount, width])
    let found = try refusing { () throws(FileError) in
      try archive.array(named: member).tensor().scalars
    }
    for index in 0..<layout.imageCount {
      let expected = row(layout.latents(at: index))
      let start = index * width
      // Written so that NaN fails too.
      guard (0..<width).allSatisfy({ abs(found[start + $0] - expected[$0]) < 1e-6 }) else {
        throw .otherLatents(
          source: archive.source, member: member, image: index, expected: expected,
          found: Array(found[start..<start + width]))
      }
    }
  }

  /// The images of one shape, after a look at all: to its end, where its checksum is known.
  func images(of shape: SpriteShape) throws(DSpritesError) -> SpriteImages {
    let member = "imgs"
    var stream = try refusing { () throws(FileError) in try archive.stream(ofMember: member) }
    let side = SpriteImages.side
    try requireImages(stream.header)
    let first = shape.rawValue * layout.imagesPerShape
    let kept = first..<first + layout.imagesPerShape
    var rows: [UInt64] = []
    rows.reserveCapacity(kept.count * side)
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: 64 * SpriteImages.pixelCount, alignment: 16)
    defer { buffer.deallocate() }
    for start in stride(from: 0, to: layout.imageCount, by: 64) {
      let piece = start..<min(start + 64, layout.imageCount)
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<(piece.count * SpriteImages.pixelCount)])
      do { try stream.read(into: bytes) } catch { throw .archive(error) }
      try requireBits(UnsafeRawBufferPointer(bytes), fromImage: start)
      for image in piece.clamped(to: kept) {
        for row in 0..<side {
          rows.append(packedRow(bytes, at: (image - start) * SpriteImages.pixelCount + row * side))
        }
      }
    }
    return SpriteImages(rows: rows)
  }

  private func requireImages(_ header: NPYHeader) throws(DSpritesError) {
    let (member, side) = ("imgs", SpriteImages.side)
    try require(header, of: member, shape: [layout.imageCount, side, side])
    guard header.scalarType == .uint8, !header.isFortranOrder else {
      throw .otherArray(
        source: archive.source, member: member, expected: "uint8 in C order",
        found: "\(header.scalarType)" + (header.isFortranOrder ? " in Fortran order" : ""))
    }
  }

  private func require(
    _ header: NPYHeader, of member: String, shape: [Int]
  ) throws(DSpritesError) {
    guard header.shape == shape else {
      throw .otherArray(
        source: archive.source, member: member, expected: "shape \(shape)",
        found: "\(header.shape)")
    }
  }

  private func requireBits(
    _ bytes: UnsafeRawBufferPointer, fromImage start: Int
  ) throws(DSpritesError) {
    var union: UInt64 = 0
    for offset in stride(from: 0, to: bytes.count, by: 8) {
      union |= bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
    if union & ~0x0101_0101_0101_0101 == 0 { return }
    guard let offset = bytes.firstIndex(where: { $0 > 1 }) else { return }
    throw .otherPixel(
      source: archive.source, image: start + offset / SpriteImages.pixelCount,
      pixel: offset % SpriteImages.pixelCount, found: bytes[offset])
  }
}

/// 64 bytes, 0 or 1, as bits, the first the highest.
private func packedRow(_ bytes: UnsafeMutableRawBufferPointer, at start: Int) -> UInt64 {
  var row: UInt64 = 0
  for offset in stride(from: start, to: start + SpriteImages.side, by: 8) {
    let word = UInt64(
      littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    // The product brings bit 8 i, of byte i, to bit 63 - i, where no other pair of terms meets it.
    row = row << 8 | (word &* 0x8040_2010_0804_0201) >> 56
  }
  return row
}

private func refusing<Value: ~Copyable>(
  _ body: () throws(FileError) -> Value
) throws(DSpritesError) -> Value {
  do { return try body() } catch { throw .archive(error) }
}

/// Why data of the dSprites benchmark cannot be used, and what to do.
public enum DSpritesError: Error, Equatable, Sendable {
  /// The matrix of the structural function is not 4096 × 10 finite numbers.
  case projection(found: String)

  /// The archive of images cannot be read, is damaged, or lacks a member.
  case archive(FileError)

  /// A member of the archive has another type or shape than that of dSprites.
  case otherArray(source: String, member: String, expected: String, found: String)

  /// The latents of an image are not those that dSprites has there.
  case otherLatents(
    source: String, member: String, image: Int, expected: [Double], found: [Double])

  /// A pixel, counted in reading order, is neither 0 nor 1.
  case otherPixel(source: String, image: Int, pixel: Int, found: UInt8)
}

extension DSpritesError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .projection(let found):
      "the matrix of the structural function: expected finite floating-point numbers of shape "
        + "[4096, 10], found \(found); give the matrix the benchmark was published with, or none"
    case .archive(let error):
      error.description
    case .otherArray(let source, let member, let expected, let found):
      "\(source): member \"\(member)\": expected \(expected), found \(found); \(Self.advice)"
    case .otherLatents(let source, let member, let image, let expected, let found):
      "\(source): member \"\(member)\": expected \(expected) (colour, shape, scale, orientation, "
        + "x, y) for image \(image), found \(found); \(Self.advice)"
    case .otherPixel(let source, let image, let pixel, let found):
      "\(source): pixel \(pixel) of image \(image): expected 0 or 1, found \(found); "
        + "\(Self.advice)"
    }
  }

  private static let advice =
    "give the file dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz as it was published"
}
