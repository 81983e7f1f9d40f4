import Autodiff
import Bilevel
import InferenceDesigns
import Testing

@Suite("The limit of kernel estimates") struct KernelLimitTests {
  /// A limit with what is known of it.
  struct Case: CustomStringConvertible, Sendable {
    let description: String
    let design: any NormalInputDesign
    let (lengthScale, modes, nodes): (Double, Int, Int)
    /// The norm of the bias of gradient and root by λ.
    let biases: [(ridge: Double, gradient: Double, root: Double)]
  }

  static let cases = [
    Case(
      description: "IV-W", design: IVWell(), lengthScale: 0.5, modes: 60, nodes: 120,
      biases: [
        (1e-4, 0.00052, 0.00087), (1e-3, 0.00423, 0.00679), (1e-2, 0.02875, 0.05476),
        (1e-1, 0.13969, 0.50594),
      ]),
    Case(
      description: "FQE-F", design: FqeFourier(), lengthScale: 2, modes: 40, nodes: 80,
      biases: [
        (1e-4, 0.00489, 0.02142), (1e-3, 0.02485, 0.11267), (1e-2, 0.09467, 0.44923),
        (1e-1, 0.22624, 1.03746),
      ]),
  ]

  @Test("Biases are the ones computed elsewhere", arguments: cases)
  func biasesAreTheOnesComputedElsewhere(known: Case) throws {
    let design = known.design
    let limit = try KernelLimit(
      of: design, lengthScale: known.lengthScale, modeCount: known.modes, nodeCount: known.nodes)
    #expect(abs(limit.resolvedShare - 1) < 1e-8)
    let truth = design.gradient(at: design.evaluationPoint)
    for bias in known.biases {
      let gradient = limit.gradient(at: design.evaluationPoint, ridge: bias.ridge)
      let distance = (gradient - truth).norm().scalar
      #expect(abs(distance - bias.gradient) < 5.1e-6, "λ = \(bias.ridge)")
      let root = (try limit.root(ridge: bias.ridge) - design.stationaryPoint).norm().scalar
      #expect(abs(root - bias.root) < 5.1e-6, "λ = \(bias.ridge)")
    }
  }

  @Test("The vector design has the published bias") func theVectorDesignHasThePublishedBias() throws
  {
    let design = PaperSineIV(.confounded)
    let limit = try KernelLimit(of: design, lengthScale: 0.5, modeCount: 30, nodeCount: 50)
    let truth = design.gradient(at: design.evaluationPoint)
    for (ridge, bias) in [(1e-2, 0.23459), (1e-1, 0.3498), (3e-2, 0.3012)] {
      let gradient = limit.gradient(at: design.evaluationPoint, ridge: ridge)
      let distance = (gradient - truth).norm().scalar
      #expect(abs(distance - bias) < 5.1e-5, "λ = \(ridge)")
    }
  }

  @Test("The scalar design has the published roots") func theScalarDesignHasThePublishedRoots()
    throws
  {
    let limit = try KernelLimit(
      of: PaperScalarIV(), lengthScale: 2, modeCount: 30, nodeCount: 40)
    for (ridge, known) in [
      (5.98e-4, 2.0327), (9.06e-4, 2.0446), (0.00137, 2.0595), (0.00208, 2.0783),
      (0.00315, 2.1021), (0.01, 2.2351),
    ] {
      let root = try limit.root(ridge: ridge).scalars[0]
      #expect(abs(root - known) < 5.1e-5, "λ = \(ridge)")
    }
  }

  /// A second answer: with the population replaced by weighted quadrature points, kernel ridge
  /// regression is (√W K √W + λ)⁻¹ on as many points.
  @Test("The limit is kernel ridge regression on quadrature points", arguments: cases)
  func theLimitIsKernelRidgeRegressionOnQuadraturePoints(known: Case) throws {
    let design = known.design
    let dimension = design.inputCovariance.shape[0]
    let (grid, weights) = GaussHermite(dimension == 1 ? 120 : 24).grid(dimension: dimension)
    let points = matmul(grid, try cholesky(design.inputCovariance), transposeB: true)
    let root = sqrt(weights).expandingShape(at: 1)
    let kernel = Kernel.gaussian(lengthScale: known.lengthScale)
    let gram = root * kernel(points, points) * root.transposed()
    let truth = design.nuisances(at: points)
    let targets = Tensor.concatenated(
      [
        (truth.intercept - truth.outcome).expandingShape(at: 1),
        truth.intercept.expandingShape(at: 1), truth.slope,
      ], alongAxis: 1)
    let limit = try KernelLimit(
      of: design, lengthScale: known.lengthScale, modeCount: known.modes, nodeCount: known.nodes)
    let ω = design.evaluationPoint.expandingShape(at: 1)
    for ridge in [1e-3, 1e-2] {
      let identity = Tensor.identity(weights.elementCount)
      let dual = root * (try solvePositiveDefinite(gram + ridge * identity, root * targets))
      let smooth = matmul(kernel(points, points), dual)
      let slope = smooth.slice(2..<smooth.shape[1], alongAxis: 1)
      let gap = slope - design.outerSlope(at: points)
      let residual =
        smooth[0..., 1] - truth.outcome + matmul(gap, ω).squeezingShape(at: 1)
      let gradient = ((weights * residual).expandingShape(at: 1) * gap).sum(alongAxis: 0)
      let found = limit.gradient(at: design.evaluationPoint, ridge: ridge)
      let distance = (gradient - found).norm().scalar
      #expect(distance < 1e-6, "λ = \(ridge)")

      let lostSlope = truth.slope - slope
      let lost =
        truth.intercept - truth.outcome - smooth[0..., 0]
        + matmul(lostSlope, ω).squeezingShape(at: 1)
      let bias = -((weights * lost).expandingShape(at: 1) * lostSlope).sum(alongAxis: 0)
      let predicted = limit.orthogonalBias(at: design.evaluationPoint, ridge: ridge)
      let biasDistance = (bias - predicted).norm().scalar
      #expect(biasDistance < 1e-6, "λ = \(ridge)")
    }
  }
}
