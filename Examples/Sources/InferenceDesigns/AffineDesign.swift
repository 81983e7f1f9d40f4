import Autodiff
import Orthogonal
import Solvers

/// A population of an affine bilevel problem of which everything is known, to measure estimators by.
///
/// With j = E[dg | X], k = E[∂_ω y_ω | X] and A = E[(j − k)(j − k)ᵀ] the gradient of its objective
/// is ∇F(ω) = A (ω − ω*).
public protocol AffineDesign: Sendable {
  /// ω*, where the gradient is zero, [d].
  var stationaryPoint: Tensor { get }
  /// The ω at which estimates of the gradient are compared, [d].
  var evaluationPoint: Tensor { get }
  /// A, the Hessian of the objective, [d, d].
  var hessian: Tensor { get }

  /// Independent rows of the population.
  func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) -> AffineProblem

  /// E[r | X], j and E[y | X] at rows of inputs, [n, p].
  func nuisances(at inputs: Tensor) -> AffineNuisances

  /// k at rows of inputs, [n, d].
  func outerSlope(at inputs: Tensor) -> Tensor
}

extension AffineDesign {
  /// d.
  public var dimension: Int { stationaryPoint.elementCount }

  /// ∇F(ω) = A (ω − ω*), [d].
  public func gradient(at outer: Tensor) -> Tensor {
    product(hessian, outer - stationaryPoint)
  }

  /// Zero: a label that does not depend on ω.
  public func outerSlope(at inputs: Tensor) -> Tensor { .zeros([inputs.shape[0], dimension]) }

  /// Points on the line through ω* and the evaluation point, from as far before ω* as that is behind
  /// it to twice as far, over which a simultaneous band is made.
  public func line(pointCount: Int) -> [Tensor] {
    let direction = evaluationPoint - stationaryPoint
    return Tensor.linearSpace(from: -1, to: 2, count: pointCount).scalars.map {
      stationaryPoint + $0 * direction
    }
  }
}

/// A design with normal inputs X ~ N(0, V), on which Gaussian kernels have known eigenfunctions.
public protocol NormalInputDesign: AffineDesign {
  /// V, [p, p].
  var inputCovariance: Tensor { get }
}

// MARK: Helpers of designs

/// A x for a matrix [n, d] and a vector [d].
func product(_ matrix: Tensor, _ vector: Tensor) -> Tensor {
  matmul(matrix, vector.expandingShape(at: 1)).squeezingShape(at: 1)
}

/// Vectors [n] beside each other.
func columns(_ vectors: Tensor...) -> Tensor { .stacked(vectors, alongAxis: 1) }

/// Independent normal numbers of mean 0, [n].
func normal(
  _ count: Int, deviation: Double = 1, _ generator: inout PhiloxGenerator
) -> Tensor {
  .normal([count], standardDeviation: deviation, using: &generator)
}

/// start + length · direction / ‖direction‖.
func shifted(_ start: Tensor, by length: Double, along direction: [Double]) -> Tensor {
  let direction = Tensor(direction)
  return start + length / direction.norm().scalar * direction
}

/// Σᵢ wᵢ xᵢ xᵢᵀ for rows [n, d].
func secondMoment(_ rows: Tensor, weights: Tensor) -> Tensor {
  matmul(rows, rows * weights.expandingShape(at: 1), transposeA: true)
}

/// √x and eˣ of numbers, without a mathematics library.
func squareRoot(_ x: Double) -> Double { x.squareRoot() }
func exponential(_ x: Double) -> Double { exp(Tensor(x)).scalar }
