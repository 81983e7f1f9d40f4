import DSprites
import Testing

@Suite("Rendering of sprites") struct SpriteRendererTests {
  private let renderer = SpriteRenderer()

  private func image(
    _ shape: SpriteShape, scale: Int = 5, orientation: Int = 0, x: Int = 0, y: Int = 0
  ) -> SpriteImages {
    renderer.images(
      of: [
        SpriteLatents(
          shape: shape, scaleIndex: scale, orientationIndex: orientation, xIndex: x, yIndex: y)
      ])
  }

  /// Each of 320 genuine images is, but for a few pixels of its edge, the image of some latents.
  @Test("Matches genuine images") func matchesGenuineImages() throws {
    let frames = try genuineFrames()
    let nearest = NearestSprite()
    var lit: [SpriteShape: Int] = [:]
    var mismatches: [SpriteShape: Int] = [:]
    var shapes: [SpriteShape] = []
    for frame in 0..<frames.count {
      let match = try #require(nearest(frames[frame]), "frame \(frame) is like no sprite")
      let shape = match.latents.shape
      shapes.append(shape)
      lit[shape, default: 0] += frames.litCount(frame)
      mismatches[shape, default: 0] += match.mismatches
      #expect(match.mismatches <= 8, "frame \(frame) nearest to \(match.latents)")
    }
    // The walk shows one shape after the other.
    #expect(shapes == shapes.sorted { $0.rawValue > $1.rawValue })
    for shape in SpriteShape.allCases {
      let (wrong, all) = (mismatches[shape, default: 0], lit[shape, default: 0])
      #expect(all > 5000)
      #expect(Double(wrong) <= 0.006 * Double(all), "\(shape): \(wrong) of \(all)")
    }
  }

  /// The walk of the genuine images turns the heart by one step from frame 18 on, then moves it
  /// down from frame 58 and to the right from frame 90 on.
  @Test("Turns and moves as genuine images do") func turnsAndMovesAsGenuineImagesDo() throws {
    let frames = try genuineFrames()
    let nearest = NearestSprite()
    for step in 0..<32 {
      let turned = try #require(nearest(frames[18 + step])).latents
      let down = try #require(nearest(frames[58 + step])).latents
      let right = try #require(nearest(frames[90 + step])).latents
      #expect(turned.orientationIndex == step && turned.xIndex == 0 && turned.yIndex == 0)
      #expect(down.orientationIndex == 0 && down.xIndex == 0 && down.yIndex == step)
      #expect(right.orientationIndex == 0 && right.xIndex == step && right.yIndex == 31)
    }
  }

  @Test("Lights as many pixels of a heart", arguments: zip(0..<6, [58, 84, 108, 140, 182, 222]))
  func lightsAsManyPixelsOfAHeart(scale: Int, genuine: Int) {
    let found = image(.heart, scale: scale).litCount(0)
    #expect(abs(found - genuine) <= 3, "\(found)")
  }

  @Test(
    "Lights the genuine pixels of square and ellipse",
    arguments: zip(0..<6, [(100, 76), (144, 104), (196, 144), (256, 184), (324, 228), (400, 288)]))
  func lightsTheGenuinePixelsOfSquareAndEllipse(scale: Int, genuine: (Int, Int)) {
    #expect(image(.square, scale: scale).litCount(0) == genuine.0)
    #expect(image(.ellipse, scale: scale).litCount(0) == genuine.1)
  }

  /// A lattice of pixels meets a shape in as many points as its area, on average.
  @Test(
    "Lights its area on average",
    arguments: zip(SpriteShape.allCases, [368.64, .pi * 12.77 * 7.21, 224.7]))
  func lightsItsAreaOnAverage(shape: SpriteShape, area: Double) {
    var latents: [SpriteLatents] = []
    for orientation in 0..<39 {
      for x in stride(from: 0, to: 31, by: 3) {
        for y in stride(from: 1, to: 32, by: 3) {
          latents.append(
            SpriteLatents(
              shape: shape, scaleIndex: 5, orientationIndex: orientation, xIndex: x, yIndex: y))
        }
      }
    }
    let images = renderer.images(of: latents)
    let lit = latents.indices.reduce(0) { $0 + images.litCount($1) }
    #expect(abs(Double(lit) / Double(latents.count) - area) < 0.001 * area)
  }

  @Test("A full turn is none") func aFullTurnIsNone() {
    for shape in SpriteShape.allCases {
      for scale in 0..<6 {
        let first = image(shape, scale: scale, orientation: 0, x: 7, y: 12)
        #expect(first == image(shape, scale: scale, orientation: 39, x: 7, y: 12))
        #expect(first != image(shape, scale: scale, orientation: 1, x: 7, y: 12))
      }
    }
  }

  /// The mirror image of the heart is the heart turned the other way.
  @Test("Turns symmetrically", arguments: [(1, 3), (2, 17), (5, 30)])
  func turnsSymmetrically(scale: Int, orientation: Int) {
    let image = image(.heart, scale: scale, orientation: orientation, x: 4, y: 20)
    let mirrored = self.image(.heart, scale: scale, orientation: 39 - orientation, x: 27, y: 20)
    for (row, other) in zip(image[0], mirrored[0]) {
      #expect(row == (0..<64).reduce(0) { $0 << 1 | (other >> UInt64($1) & 1) })
    }
  }

  @Test("Unpacks in reading order") func unpacksInReadingOrder() {
    let images = SpriteImages(rows: [1 << 63 | 1, 1 << 62] + [UInt64](repeating: 0, count: 62))
    var expected = [UInt8](repeating: 0, count: 4096)
    for index in [0, 63, 65] { expected[index] = 1 }
    #expect(images.count == 1)
    #expect(images.litCount(0) == 3)
    #expect(images.pixels(0) == expected)
    #expect(images.tensor(0..<1).scalars == expected.map(Double.init))
    #expect(images.tensor(0..<1).shape == [1, 4096])
    #expect(images.tensor(0..<1, .float64).scalarType == .float64)
    #expect(images.tensor(0..<0).shape == [0, 4096])
  }
}
