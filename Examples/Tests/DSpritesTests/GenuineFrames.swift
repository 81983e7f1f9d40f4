import DSprites
import Foundation
import TensorFiles
import Testing

/// The genuine images beside this file.
func genuineFrames() throws -> SpriteImages {
  let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "dsprites-animation-frames.npy").path
  let array = try NPYArray(contentsOfFile: path)
  try #require(array.header.shape == [320, 64, 8])
  let bytes = try array.bytes()
  return SpriteImages(
    rows: stride(from: 0, to: bytes.count, by: 8).map { start in
      bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    })
}

/// The mean position of the lit pixels' centres, and their number.
func centroid(of image: ArraySlice<UInt64>) -> (x: Double, y: Double, count: Int) {
  var (x, y, count) = (0.0, 0.0, 0)
  for (row, var bits) in image.enumerated() {
    while bits != 0 {
      let column = bits.leadingZeroBitCount
      bits ^= 1 << UInt64(63 - column)
      x += Double(column) + 0.5
      y += Double(row) + 0.5
      count += 1
    }
  }
  return (x / Double(count), y / Double(count), count)
}

/// Finds the latents whose image is nearest to a given one.
///
/// Every shape, scale and orientation is tried that has about as many pixels, where its centroid
/// is nearest to that of the image; what this skips could only lower the distances found.
struct NearestSprite {
  private let renderer = SpriteRenderer()
  private let prototypes: [(latents: SpriteLatents, x: Double, y: Double, count: Int)]

  init() {
    var latents: [SpriteLatents] = []
    for shape in SpriteShape.allCases {
      for scale in 0..<6 {
        // The last orientation is the first.
        for orientation in 0..<39 {
          latents.append(
            SpriteLatents(
              shape: shape, scaleIndex: scale, orientationIndex: orientation, xIndex: 0, yIndex: 0))
        }
      }
    }
    let images = renderer.images(of: latents)
    prototypes = latents.enumerated().map { index, latents in
      let (x, y, count) = centroid(of: images[index])
      return (latents, x, y, count)
    }
  }

  func callAsFunction(_ image: ArraySlice<UInt64>) -> (latents: SpriteLatents, mismatches: Int)? {
    let (x, y, count) = centroid(of: image)
    let candidates = prototypes.compactMap { prototype -> SpriteLatents? in
      let xIndex = Int(((x - prototype.x) * 31 / 32).rounded())
      let yIndex = Int(((y - prototype.y) * 31 / 32).rounded())
      guard abs(prototype.count - count) <= 6 + count / 25, (0..<32).contains(xIndex),
        (0..<32).contains(yIndex)
      else { return nil }
      let latents = prototype.latents
      return SpriteLatents(
        shape: latents.shape, scaleIndex: latents.scaleIndex,
        orientationIndex: latents.orientationIndex, xIndex: xIndex, yIndex: yIndex)
    }
    let images = renderer.images(of: candidates)
    return candidates.indices.map { (candidates[$0], images.mismatchCount($0, from: image)) }
      .min { $0.1 < $1.1 }
  }
}
