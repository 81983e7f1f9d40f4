import Autodiff
import Neural

/// The networks of the dSprites benchmark.
///
/// Those of Xu and others (2021) with layer instead of batch normalisation, as Petrulionyte, Mairal
/// and Arbel (2024) use them. Every weight is spectrally normalised.
enum SpriteNetworks {
  /// How many features of the treatment there are.
  static let featureCount = 32

  /// ψ: an image of 4096 pixels to 32 features in (−1, 1).
  static func treatment(
    _ type: ScalarType, _ generator: PhiloxGenerator
  ) -> Sequential {
    var generator = generator
    return Sequential {
      dense(4096, 1024, type, &generator)
      Activation.relu
      dense(1024, 512, type, &generator)
      Activation.relu
      LayerNorm(featureCount: 512, scalarType: type)
      dense(512, 128, type, &generator)
      Activation.relu
      dense(128, featureCount, type, &generator)
      LayerNorm(featureCount: featureCount, scalarType: type)
      Activation.tanh
    }
  }

  /// φ: three instruments to 32 features.
  static func instrument(
    _ type: ScalarType, _ generator: PhiloxGenerator
  ) -> Sequential {
    var generator = generator
    return Sequential {
      dense(3, 256, type, &generator)
      Activation.relu
      dense(256, 128, type, &generator)
      Activation.relu
      LayerNorm(featureCount: 128, scalarType: type)
      dense(128, 128, type, &generator)
      Activation.relu
      LayerNorm(featureCount: 128, scalarType: type)
      dense(128, featureCount, type, &generator)
      LayerNorm(featureCount: featureCount, scalarType: type)
      Activation.relu
    }
  }

  private static func dense(
    _ inputs: Int, _ outputs: Int, _ type: ScalarType, _ generator: inout PhiloxGenerator
  ) -> SpectralNormalization {
    SpectralNormalization(
      Dense(inputSize: inputs, outputSize: outputs, scalarType: type, using: &generator),
      using: &generator)
  }
}
