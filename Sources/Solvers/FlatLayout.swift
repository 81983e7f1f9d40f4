import Autodiff

/// How the floating-point tensors of a tree lie in one vector, and which name each part has.
///
/// Solvers work on vectors; users on trees. Both directions are tensor operations and can be
/// differentiated. Tensors that are not floating point stay as they are in the template.
package struct FlatLayout<Tree: TensorTree> {
  private let template: Tree
  private let indices: [Int]
  /// The name and place of every part of the vector.
  package let blocks: [VectorBlock]
  package let scalarType: ScalarType

  /// The number of elements of the vector.
  package var size: Int { blocks.last?.range.upperBound ?? 0 }

  /// - Precondition: The tree has floating-point tensors, all of one scalar type.
  package init(of tree: Tree, _ operation: String) {
    template = tree.mapTensors { stopGradient($0) }
    let (tensors, paths) = (template.tensors, template.tensorPaths)
    indices = tensors.indices.filter { tensors[$0].scalarType.isFloatingPoint }
    guard let first = indices.first else {
      stop(
        operation, "the inner variable has no floating-point tensor; there is nothing to solve for")
    }
    scalarType = tensors[first].scalarType
    var blocks: [VectorBlock] = []
    var offset = 0
    for index in indices {
      let tensor = tensors[index]
      guard tensor.scalarType == scalarType else {
        stop(
          operation,
          """
          the inner variable mixes \(scalarType) (\(paths[first])) and \(tensor.scalarType) \
          (\(paths[index])); convert one of them
          """)
      }
      blocks.append(
        VectorBlock(name: paths[index], range: offset..<offset + tensor.elementCount))
      offset += tensor.elementCount
    }
    self.blocks = blocks
  }

  /// The vector of a tree of this layout, [size].
  ///
  /// - Precondition: The tree has the template's leaves and shapes.
  package func vector(_ tree: Tree, _ operation: String, _ role: String) -> Tensor {
    let (tensors, expected) = (tree.tensors, template.tensors)
    // A single tensor can only correspond to the other one.
    let corresponds =
      tensors.count == expected.count
      && (tensors.count == 1 || tree.tensorPaths == template.tensorPaths)
    guard corresponds else {
      stop(
        operation,
        "the \(role) has tensors \(tree.tensorPaths), expected \(template.tensorPaths)")
    }
    for index in indices {
      guard tensors[index].shape == expected[index].shape, tensors[index].scalarType == scalarType
      else {
        stop(
          operation,
          """
          the \(role)\(tree.tensorPaths[index].isEmpty ? "" : " at \(tree.tensorPaths[index])") is \
          \(tensors[index].shape) \(tensors[index].scalarType), expected \(expected[index].shape) \
          \(scalarType)
          """)
      }
    }
    if indices.count == 1 { return tensors[indices[0]].reshaped(to: [size]) }
    return Tensor.concatenated(indices.map { tensors[$0].reshaped(to: [-1]) }, alongAxis: 0)
  }

  /// The tree of a vector.
  package func tree(_ vector: Tensor) -> Tree {
    var result = template
    var tensors = template.tensors
    for (index, block) in zip(indices, blocks) {
      let part = indices.count == 1 ? vector : vector[block.range]
      tensors[index] = part.reshaped(to: tensors[index].shape)
    }
    result.tensors = tensors
    return result
  }
}

extension FlatLayout: Sendable where Tree: Sendable {}

/// A named part of a vector: one tensor of a tree.
public struct VectorBlock: Sendable, Equatable {
  /// The path of the tensor in its tree; empty where the tree is a single tensor.
  public let name: String
  /// Its elements.
  public let range: Range<Int>

  /// A part of a vector.
  public init(name: String, range: Range<Int>) {
    self.name = name
    self.range = range
  }
}
