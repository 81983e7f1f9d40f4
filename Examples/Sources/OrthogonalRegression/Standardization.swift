import Autodiff
import ExampleSupport

/// The map of a column to mean 0 and deviation 1; a constant column is only centred.
struct Standardization: Sendable {
  let center: Double
  let scale: Double

  init(_ values: [Double]) {
    let column = Tensor(values)
    center = column.mean().scalar
    let deviation = sqrt(column.variance()).scalar
    scale = deviation > 0 ? deviation : 1
  }

  func callAsFunction(_ value: Double) -> Double { (value - center) / scale }

  /// Standardised columns side by side, [n, p].
  static func matrix(_ columns: [[Double]]) -> Tensor {
    Tensor.stacked(
      columns.map { column in
        let scale = Standardization(column)
        return Tensor(column.map { scale($0) })
      }, alongAxis: 1)
  }
}

/// A number as people read it.
func short(_ value: Double) -> String { Numbers.significant(value) }
