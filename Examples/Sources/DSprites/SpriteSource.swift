/// Where images come from: drawn, or read from the data set.
public protocol SpriteSource: Sendable {
  /// The images of latents, in their order.
  func images(of latents: [SpriteLatents]) -> SpriteImages
}
