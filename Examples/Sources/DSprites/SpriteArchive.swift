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
    self.shape = shape
    self.layout = layout
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
