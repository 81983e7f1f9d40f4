import Autodiff
import Neural

/// One network for each fold of a sample, as one layer: the last input column says which network a
/// row goes through.
///
/// Each fold has its own features and its own constant, so that a linear last layer has weights of
/// its own for each; the features of other folds are zero. With the fold of a row's own half in the
/// first stage and the other fold's in the second this is cross-fitting: no outcome meets a
/// prediction that has seen it, and every row serves in both stages.
package struct FoldedFeatures: Layer {
  package var folds: [Sequential]

  package init(folds: [Sequential]) { self.folds = folds }

  package func callAsFunction(_ x: Tensor) -> Tensor {
    let last = x.shape[1] - 1
    let fold = x.slice(last..<last + 1, alongAxis: 1).reshaped(to: [-1]).scalars
    let inputs = x.slice(0..<last, alongAxis: 1)
    let parts = folds.indices.map { index in
      let rows = Tensor(indices: fold.indices.filter { Int(fold[$0]) == index })
      let features = folds[index](inputs.gathering(rows, alongAxis: 0))
      let constant = Tensor.ones([features.shape[0], 1], features.scalarType)
      return Tensor.concatenated([features, constant], alongAxis: 1)
        .scatterAdding(to: rows, length: fold.count, alongAxis: 0)
    }
    return Tensor.concatenated(parts, alongAxis: 1)
  }

  package mutating func visitState(_ visitor: inout TensorVisitor) {
    for index in folds.indices { visitor.visitState(of: &folds[index], at: index) }
  }

  package mutating func updateState() {
    for index in folds.indices { folds[index].updateState() }
  }

  /// Inputs with the fold of each row.
  package static func inputs(_ x: Tensor, folds: [Int]) -> Tensor {
    let column = Tensor(folds.map(Double.init)).cast(to: x.scalarType)
    return Tensor.concatenated([x, column.expandingShape(at: 1)], alongAxis: 1)
  }
}
