/// Why data of the dSprites benchmark cannot be used, and what to do.
public enum DSpritesError: Error, Equatable, Sendable {
  /// The matrix of the structural function is not 4096 × 10 finite numbers.
  case projection(found: String)
}

extension DSpritesError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .projection(let found):
      "the matrix of the structural function: expected finite floating-point numbers of shape "
        + "[4096, 10], found \(found); give the matrix the benchmark was published with, or none"
    }
  }
}
