import Autodiff

/// The map of a column to mean 0 and deviation 1; a constant column is only centred.
struct Standardization: Sendable {
  let center: Double
  let scale: Double

  init(_ column: Tensor) {
    center = column.mean().scalar
    let deviation = sqrt(column.variance()).scalar
    scale = deviation > 0 ? deviation : 1
  }

  func callAsFunction(_ column: Tensor) -> Tensor { (column - center) / scale }

  /// Standardised columns side by side, [n, p].
  static func matrix(_ variables: [Variable]) -> Tensor {
    .stacked(variables.map { Standardization($0.column)($0.column) }, alongAxis: 1)
  }
}

/// Values by name.
func keyed<Value>(_ names: [String], _ values: [Value]) -> [String: Value] {
  Dictionary(uniqueKeysWithValues: zip(names, values))
}
