import DSprites
import Testing

@Suite("Latents of sprites") struct SpriteLatentsTests {
  @Test("Indices have the strides of the data set") func indicesHaveTheStridesOfTheDataSet() {
    #expect(SpriteLatents.imageCount == 737_280)
    let heart = SpriteLatents(
      shape: .heart, scaleIndex: 3, orientationIndex: 20, xIndex: 30, yIndex: 5)
    #expect(heart.index == 2 * 245_760 + 3 * 40960 + 20 * 1024 + 30 * 32 + 5)
    for index in stride(from: 0, to: SpriteLatents.imageCount, by: 101) {
      #expect(SpriteLatents(index: index).index == index)
    }
  }

  @Test("Values are those of the data set") func valuesAreThoseOfTheDataSet() {
    let last = SpriteLatents(index: SpriteLatents.imageCount - 1)
    #expect(last.shape == .heart)
    #expect(last.scale == 1)
    #expect(last.orientation == 2 * Double.pi)
    #expect(last.x == 1)
    #expect(last.y == 1)
    let inner = SpriteLatents(
      shape: .ellipse, scaleIndex: 2, orientationIndex: 13, xIndex: 0, yIndex: 12)
    #expect(inner.scale == 0.7)
    #expect(abs(inner.orientation - 2 * Double.pi / 3) < 1e-15)
    #expect(inner.x == 0)
    #expect(inner.y == 12.0 / 31)
  }
}
