import Autodiff
import Testing

/// Expects each element to lie within `tolerance` of its reference, relative to the larger of the
/// reference and 1.
func expectClose(
  _ found: Tensor, _ expected: [Double], tolerance: Double = 1e-12,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let found = found.scalars
  guard found.count == expected.count else {
    Issue.record(
      "expected \(expected.count) elements, found \(found.count)", sourceLocation: sourceLocation)
    return
  }
  for (index, (a, b)) in zip(found, expected).enumerated() {
    #expect(
      abs(a - b) <= tolerance * max(1, abs(b)), "element \(index): found \(a), expected \(b)",
      sourceLocation: sourceLocation)
  }
}

/// Expects two trees to have the same bits.
func expectEqual<Tree: TensorTree>(
  _ a: Tree, _ b: Tree, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(a.tensors.count == b.tensors.count, sourceLocation: sourceLocation)
  for (path, (x, y)) in zip(a.tensorPaths, zip(a.tensors, b.tensors)) {
    #expect(x.isBitwiseEqual(to: y), "\(path) differs", sourceLocation: sourceLocation)
  }
}

/// Compares the gradient of a scalar function of a float64 tree with fourth-order central
/// differences of its values, element by element, and its Hessian–vector product along a fixed
/// direction with the same differences of its gradient.
func expectDerivatives<Tree: TensorTree>(
  at point: Tree, tolerance: Double = 1e-8, sourceLocation: SourceLocation = #_sourceLocation,
  of f: (Tree) -> Tensor
) {
  let slopes = gradient(at: point, unused: .zero, of: f)
  for (leaf, path) in point.tensorPaths.enumerated() {
    let shape = point.tensors[leaf].shape
    var differences: [Double] = []
    for index in 0..<shape.elementCount {
      let basis = Tensor((0..<shape.elementCount).map { $0 == index ? 1 : 0 }, shape: shape)
      differences.append(
        difference { step in
          var moved = point
          moved.tensors[leaf] = moved.tensors[leaf] + step * basis
          return f(moved)
        }.scalar)
    }
    let found = slopes.tensors[leaf].scalars
    for (index, (a, b)) in zip(found, differences).enumerated() {
      #expect(
        abs(a - b) <= tolerance * max(1, abs(b)), "∂/∂\(path)[\(index)]: \(a), differences \(b)",
        sourceLocation: sourceLocation)
    }
  }
  var direction = point
  direction.tensors = point.tensors.enumerated().map { leaf, tensor in
    Tensor((0..<tensor.elementCount).map { Double(($0 * 5 + leaf * 3) % 7 - 3) / 4 })
      .reshaped(to: tensor.shape)
  }
  let products = hvp(at: point, along: direction, of: f)
  for (leaf, path) in point.tensorPaths.enumerated() {
    let differences = difference { step in
      var moved = point
      moved.tensors = zip(point.tensors, direction.tensors).map { $0 + step * $1 }
      return gradient(at: moved, unused: .zero, of: f).tensors[leaf]
    }
    for (a, b) in zip(products.tensors[leaf].scalars, differences.scalars) {
      #expect(
        abs(a - b) <= 10 * tolerance * max(1, abs(b)),
        "Hessian product at \(path): \(a), differences \(b)", sourceLocation: sourceLocation)
    }
  }
}

/// The derivative at 0: (8 (f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h, with error of order h⁴.
private func difference(_ f: (Double) -> Tensor) -> Tensor {
  let h = 1e-3
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)
}

/// A smooth scalar of a layer's outputs that weighs every element differently.
func weighed(_ y: Tensor) -> Tensor {
  let weights = Tensor((0..<y.elementCount).map { 0.25 * Double($0) - 1 }, shape: y.shape)
  return (y * weights + 0.1 * y * y).sum()
}
