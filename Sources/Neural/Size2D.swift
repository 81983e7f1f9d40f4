/// A height and a width, in elements of an image; one integer stands for both.
public struct Size2D: Sendable, Hashable, ExpressibleByIntegerLiteral, CustomStringConvertible {
  /// The extent along the second axis of a batch [n, height, width, channels].
  public var height: Int
  /// The extent along the third axis.
  public var width: Int

  /// A height and a width of their own.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// The same height and width.
  public init(_ size: Int) { self.init(height: size, width: size) }

  /// The same height and width, written as a number.
  public init(integerLiteral value: Int) { self.init(value) }

  /// Height × width.
  public var description: String { "\(height)×\(width)" }
}
