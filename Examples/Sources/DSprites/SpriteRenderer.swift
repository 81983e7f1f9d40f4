import Autodiff

/// Draws the images of dSprites from the geometry of its shapes.
///
/// A pixel is lit if its centre is inside the shape; there is no anti-aliasing. The pixel of row r
/// and column c has its centre at (c + ½, r + ½), y pointing down; the origin of a sprite is at
/// (16 + 32 x, 16 + 32 y) pixels, and a positive angle turns it counter-clockwise. Of the pixels
/// lit in genuine images about one in 200 differs.
public struct SpriteRenderer: SpriteSource {
  /// The cosine and sine of each orientation.
  private let directions: [(cosine: Double, sine: Double)]

  /// Creates a renderer.
  public init() {
    // The last orientation is a full turn; 0 in its place makes the images exactly equal.
    let turns = SpriteLatents.orientationCount - 1
    let angles = Tensor.range(turns) * (2 * Double.pi / Double(turns))
    let (cosines, sines) = (cos(angles).scalars, sin(angles).scalars)
    directions = (0...turns).map { (cosines[$0 % turns], sines[$0 % turns]) }
  }

  public func images(of latents: [SpriteLatents]) -> SpriteImages {
    let side = SpriteImages.side
    let rows = [UInt64](unsafeUninitializedCapacity: latents.count * side) { rows, count in
      rows.initialize(repeating: 0)
      for (image, latents) in latents.enumerated() {
        draw(
          latents,
          into: UnsafeMutableBufferPointer(rebasing: rows[image * side..<(image + 1) * side]))
      }
      count = rows.count
    }
    return SpriteImages(rows: rows)
  }

  /// One image: 4096 pixels, 0 or 1, row after row from the top left.
  public func pixels(of latents: SpriteLatents) -> [UInt8] { images(of: [latents]).pixels(0) }

  private func draw(_ latents: SpriteLatents, into rows: UnsafeMutableBufferPointer<UInt64>) {
    let (shape, scale) = (latents.shape, latents.scale)
    let (cosine, sine) = directions[latents.orientationIndex]
    let (x, y) = (16 + 32 * latents.x, 16 + 32 * latents.y)
    let radius = shape.radius * scale
    for row in Self.centres(within: radius, of: y) {
      let dy = Double(row) + 0.5 - y
      var bits: UInt64 = 0
      for column in Self.centres(within: radius, of: x) {
        let dx = Double(column) + 0.5 - x
        let (u, v) = ((cosine * dx - sine * dy) / scale, (sine * dx + cosine * dy) / scale)
        if shape.contains(u: u, v: v) {
          bits |= 1 << UInt64(SpriteImages.side - 1 - column)
        }
      }
      rows[row] = bits
    }
  }

  /// The rows or columns whose centres are at most so far from a place.
  private static func centres(within radius: Double, of place: Double) -> ClosedRange<Int> {
    Int((place - radius - 0.5).rounded(.up))...Int((place + radius - 0.5).rounded(.down))
  }
}
