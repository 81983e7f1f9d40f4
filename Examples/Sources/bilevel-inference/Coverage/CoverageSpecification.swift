import Orthogonal

/// Everything that a replication of a study depends on, apart from the sample size and its number.
struct CoverageSpecification: StudySpecification {
  /// The kernel baseline.
  struct Baseline: Codable, Equatable, Sendable {
    let lengthScale: Double
    /// The fixed λ.
    let ridge: Double

    var fixed: KBO { baseline(.fixed(ridge)) }
    var decaying: KBO { baseline(.rate(constant: 0.05, power: 0.6)) }

    private func baseline(_ rule: RidgeRule) -> KBO {
      KBO(.gaussian(lengthScale: lengthScale), ridge: rule, landmarkCount: 150)
    }
  }

  /// A simultaneous band over coordinates and points on a line.
  struct Band: Codable, Equatable, Sendable {
    var pointCount = 11
    let draws: Int
  }

  static let currentVersion = 1

  var version = currentVersion
  let design: DesignName
  let methods: [StudyMethod]
  let learner: LearnerSettings
  let baseline: Baseline
  let foldCount: Int
  let sharedNoise: SharedNoise
  let band: Band?
  let seed: UInt64

  func crossFitting(seed: UInt64) -> CrossFitting {
    CrossFitting(foldCount: foldCount, seed: seed).with(sharedNoise: sharedNoise)
  }

  /// Kernels or features at the rows and their products in several forms.
  func byteCount(size: Int) -> Double {
    var landmarks = 150
    if case .kernel(let settings) = learner { landmarks = max(landmarks, settings.landmarkCount) }
    let (n, m) = (Double(size), Double(min(size, landmarks)))
    return 60 * n * m + 100 * m * m
  }

  func maker() -> (StudyTask) throws -> CoverageReplication {
    let design = design.study
    return { try CoverageReplication($0, of: design, self) }
  }

  var label: String { design.rawValue }

  var options: [(name: String, value: String)] {
    [
      ("--design", design.rawValue), ("--seed", "\(seed)"),
      ("--methods", methods.map(\.rawValue).joined(separator: ",")),
      (
        "the learner (--ridge, --ridge-constant, --ridge-power, --bandwidth, --landmarks)",
        "\(learner)"
      ),
      ("--folds", "\(foldCount)"), ("--shared-noise", sharedNoise.rawValue),
      (
        "--kbo-ridge or --bandwidth",
        "λ = \(baseline.ridge) at length scale \(baseline.lengthScale)"
      ),
      ("--band", band.map { "\($0.draws) draws at \($0.pointCount) points" } ?? "off"),
    ]
  }
}
