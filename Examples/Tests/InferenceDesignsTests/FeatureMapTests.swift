import Autodiff
import Bilevel
import InferenceDesigns
import Testing

/// The regressions against normal equations with features computed row by row.
@Suite("Feature maps") struct FeatureMapTests {
  @Test("Predictions solve the normal equations", arguments: FeatureMap.allCases, [1e-6, 0.5])
  func predictionsSolveTheNormalEquations(map: FeatureMap, penalty: Double) throws {
    var generator = PhiloxGenerator(seed: 11)
    let design: any AffineDesign =
      switch map {
      case .linear: PaperScalarIV()
      case .sumFourier: PaperSineIV()
      case .bellman: PaperBellman(.b1)
      case .quarticPolynomials: FqeLQ()
      }
    let training = try design.sample(120, using: &generator)
    let held = try design.sample(30, using: &generator)
    let found = try held.nuisances(
      map.learner(absolutePenalty: penalty), trainedOn: training
    ).slope

    let center = training.inputs.sum(alongAxis: 1).mean().scalar
    func matrix(_ inputs: Tensor) -> Tensor {
      let width = inputs.shape[1]
      let elements = inputs.scalars
      return Tensor(
        rows: (0..<inputs.shape[0]).map { row in
          features(map, Array(elements[row * width..<(row + 1) * width]), center: center)
        })
    }
    let z = matrix(training.inputs)
    let width = z.shape[1]
    let isPenalised = Tensor([0] + [Double](repeating: 1, count: width - 1))
    let gram = matmul(z, z, transposeA: true) + penalty * isPenalised.embeddedDiagonal()
    let weights = try solve(gram, matmul(z, training.innerSlope, transposeA: true))
    let expected = matmul(matrix(held.inputs), weights)
    let distance = (found - expected).normInfinity().scalar
    let size = expected.normInfinity().scalar
    #expect(distance < 1e-6 * size)
  }

  private func features(_ map: FeatureMap, _ x: [Double], center: Double) -> [Double] {
    func sine(_ x: Double) -> Double { sin(Tensor(x)).scalar }
    func cosine(_ x: Double) -> Double { cos(Tensor(x)).scalar }
    switch map {
    case .linear: return [1] + x
    case .sumFourier:
      let s = x.reduce(0, +) - center
      return [1] + (1...8).flatMap { [sine(Double($0) * s), cosine(Double($0) * s)] }
    case .quarticPolynomials:
      var all: [Double] = []
      for total in 0...4 {
        for first in 0...total {
          let a = [Double](repeating: x[0], count: first).reduce(1, *)
          all.append([Double](repeating: x[1], count: total - first).reduce(a, *))
        }
      }
      return all
    case .bellman:
      let (s, action) = (x[0], x[1])
      var base = [1, s, s * s, s * s * s]
      for frequency in [0.5, 0.75, 1, 1.5, 2] {
        base += [sine(frequency * s), cosine(frequency * s)]
      }
      for knot in [-2.0, -1, 0, 1, 2] {
        let distance = (s - knot) / 0.8
        base.append(exp(Tensor(-0.5 * distance * distance)).scalar)
      }
      return base + base.map { action * $0 }
    }
  }
}
