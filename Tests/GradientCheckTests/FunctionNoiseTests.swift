import GradientCheck
import Testing

@Suite("The noise of a function") struct FunctionNoiseTests {
  /// Reproducible noise of a given amplitude, different at every point.
  static func jitter(_ t: Double, _ amplitude: Double) -> Double {
    let bits = t.bitPattern &* 0x9E37_79B9_7F4A_7C15
    return amplitude * (Double(bits >> 11) / Double(1 << 53) - 0.5) * 2
  }

  @Test("Measures the amplitude", arguments: [1e-12, 1e-8, 1e-3]) func measuresTheAmplitude(
    _ amplitude: Double
  ) throws {
    let noise = try #require(
      functionNoise(of: { [1 + $0 + Self.jitter($0, amplitude), 2] }, spacing: 1e-8))
    #expect(noise[0] > 0.1 * amplitude)
    #expect(noise[0] < 3 * amplitude)
    #expect(noise[1] == 0)
  }

  @Test("Smooth curves have only rounding") func smoothCurvesHaveOnlyRounding() throws {
    let noise = try #require(
      functionNoise(of: { [1 / (1 + 10 * $0), 1e6 + $0 * $0] }, spacing: 1e-8))
    #expect(noise[0] < 1e-15)
    #expect(noise[1] < 1e-9)
  }

  @Test("Evaluates one side only") func evaluatesOneSideOnly() throws {
    let right = try #require(functionNoise(of: { $0 < 0 ? nil : [$0] }, spacing: 1e-8))
    let left = try #require(functionNoise(of: { $0 > 0 ? nil : [$0] }, spacing: 1e-8))
    #expect(right[0] < 1e-15)
    #expect(left[0] < 1e-15)
    #expect(functionNoise(of: { _ in nil }, spacing: 1e-8) == nil)
  }
}
