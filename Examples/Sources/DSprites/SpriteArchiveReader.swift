import TensorFiles

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
