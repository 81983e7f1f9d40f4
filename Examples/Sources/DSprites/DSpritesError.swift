import TensorFiles

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
