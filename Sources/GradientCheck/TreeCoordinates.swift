import Autodiff

/// A floating-point tensor of a tree.
struct TreeLeaf {
  let path: String
  let shape: Shape
  let scalarType: ScalarType
  /// Its place among the tensors of the tree.
  let position: Int
  /// Its elements in the vector of all.
  let range: Range<Int>

  /// The index in the tensor of an element of the vector.
  func index(at offset: Int) -> [Int] { shape.index(at: offset - range.lowerBound) }
}

/// The floating-point elements of a tree as one vector; its other tensors are held fixed.
struct TreeCoordinates<Tree: TensorTree> {
  let tree: Tree
  let leaves: [TreeLeaf]
  let count: Int

  /// - Parameter name: What the tree is called in paths.
  init(_ tree: Tree, named name: String? = nil) {
    self.tree = tree
    var leaves: [TreeLeaf] = []
    var count = 0
    for (position, (tensor, path)) in zip(tree.tensors, tree.tensorPaths).enumerated()
    where tensor.scalarType.isFloatingPoint {
      let path = [name, path].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ".")
      leaves.append(
        TreeLeaf(
          path: path, shape: tensor.shape, scalarType: tensor.scalarType, position: position,
          range: count..<count + tensor.elementCount))
      count += tensor.elementCount
    }
    self.leaves = leaves
    self.count = count
  }

  /// The tree's own elements.
  var vector: [Double] { elements(of: tree) ?? [] }

  /// The elements of another tree, nil if its floating-point tensors have other shapes.
  func elements(of other: Tree) -> [Double]? {
    let tensors = other.tensors
    var result: [Double] = []
    result.reserveCapacity(count)
    for leaf in leaves {
      guard leaf.position < tensors.count, tensors[leaf.position].shape == leaf.shape else {
        return nil
      }
      result += tensors[leaf.position].scalars
    }
    return result
  }

  /// The tree with these elements.
  func point(_ vector: [Double]) -> Tree { filled(vector, rest: { $0 }) }

  /// A tangent or cotangent of the tree with these elements.
  func direction(_ vector: [Double]) -> Tree { filled(vector, rest: { Tensor.zeros(like: $0) }) }

  /// For each element the size of a typical change: its own size, or the root mean square of its
  /// tensor if that is larger, or 1 in a tensor of zeros.
  var typicalSizes: [Double] {
    let vector = vector
    return leaves.flatMap { leaf -> [Double] in
      let elements = vector[leaf.range]
      let largest = vector[leaf.range].largestMagnitude
      guard largest > 0 else { return elements.map { _ in 1 } }
      // Scaled by the largest, so that no square overflows or vanishes.
      let sum = elements.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }
      let typical = largest * (sum / Double(elements.count)).squareRoot()
      return elements.map { max($0.magnitude, typical) }
    }
  }

  private func filled(_ vector: [Double], rest: (Tensor) -> Tensor) -> Tree {
    var tensors = tree.tensors.map { $0.scalarType.isFloatingPoint ? $0 : rest($0) }
    for leaf in leaves {
      tensors[leaf.position] = Tensor(Array(vector[leaf.range]), shape: leaf.shape)
        .cast(to: leaf.scalarType)
    }
    var result = tree
    result.tensors = tensors
    return result
  }
}

extension ArraySlice<Double> {
  /// The largest magnitude of the finite elements, 0 if there is none.
  var largestMagnitude: Double { reduce(0) { $1.isFinite ? Swift.max($0, $1.magnitude) : $0 } }
}

extension Shape {
  /// The index along each axis of an element given by its place in row-major order.
  func index(at offset: Int) -> [Int] {
    var rest = offset
    var index: [Int] = []
    for size in reversed() {
      index.append(rest % size)
      rest /= size
    }
    return index.reversed()
  }
}
