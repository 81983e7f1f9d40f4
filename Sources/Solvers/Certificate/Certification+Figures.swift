import Autodiff

/// How long steps are, tensor by tensor.
extension Certification {
  /// The tensors of x that have elements.
  var blocks: [Range<Int>] { problem.blocks.map(\.range).filter { !$0.isEmpty } }

  /// A tensor's part of a vector.
  func part(_ v: Tensor, _ range: Range<Int>) -> Tensor {
    range.count == v.elementCount ? v : v[range]
  }

  /// What a tensor's step is relative to.
  func size(_ range: Range<Int>) -> Double { max(norm(part(x, range)), typicalMagnitude) }

  /// The largest (‖δ‖ + slack) / ‖x‖ of a tensor.
  func relativeError(_ step: Tensor, slack: Double = 0) -> Double {
    largestRatio(of: blocks) { norm(part(step, $0)) + slack }
  }

  /// √(δᵀF / xᵀF₁x) of a minimum; of a root ‖C⁻¹δ‖ / ‖C⁻¹x‖ with C what makes the columns of F₁ of one
  /// size, nil where that is not known; 0 next to a solution that is zero by what the user says.
  func energyError(_ newton: NewtonStep) throws(SolverError) -> Double? {
    if typicalMagnitude > 0 { return 0 }
    guard isMinimum else {
      return newton.factors.map { factors in
        let length = norm(newton.step / factors.columnScale)
        return length == 0 ? 0 : length / norm(x / factors.columnScale)
      }
    }
    if newton.energy == 0 { return 0 }
    let scale = inner(x, try jacobian(x))
    return (max(newton.energy, 0) / max(scale, 0)).squareRoot()
  }

  /// The largest error of the tensors that are not zero to within a multiple of the step, with what the
  /// least curvature can make of the rounding of F; infinite where no tensor is left.
  func errorBeyondRounding(_ newton: NewtonStep, _ reach: Double, _ noise: Double) -> Double {
    let others = blocks.filter { size($0) > 4 * reach * norm(part(newton.step, $0)) }
    if others.isEmpty { return .infinity }
    let uncertainty = newton.leastCurvature.map { noise / $0 } ?? 0
    return largestRatio(of: others) {
      max(norm(part(newton.step, $0)) + newton.slack, uncertainty)
    }
  }

  /// The largest length over size.
  func largestRatio(of blocks: [Range<Int>], _ length: (Range<Int>) -> Double) -> Double {
    var largest = 0.0
    for range in blocks {
      let length = length(range)
      let ratio = length <= 0 ? 0 : length / size(range)
      if !(ratio <= largest) { largest = ratio }
    }
    return largest
  }

  /// Whether a tensor is on its way to zero and so near that no unit could tell: its Newton step ends at
  /// zero, and it is below any magnitude that has a use.
  func isVanishing(_ range: Range<Int>, _ step: Tensor) -> Bool {
    let (point, length) = (part(x, range), size(range))
    let isTiny = length <= (x.scalarType == .float32 ? 1e-20 : 1e-30)
    return isTiny && length > 0
      && norm(combination(1, point, -1, part(step, range))) <= 0.2 * length
  }
}
