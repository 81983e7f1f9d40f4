import Autodiff

/// What a random result is repeated with.
public enum Repetition {
  /// The seed with the library of linear algebra and its threads, on which rounding depends.
  public static func text(seed: UInt64) -> String { "seed \(seed), \(linearAlgebra)" }

  /// The library of linear algebra and its threads.
  public static var linearAlgebra: String { LinearAlgebraBackend.description }
}
