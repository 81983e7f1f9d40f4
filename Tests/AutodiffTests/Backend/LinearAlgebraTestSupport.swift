import Autodiff
import CTensorKernels

/// A dense row-major matrix in double precision, computed with in the plainest way.
struct TestMatrix {
  var rows: Int
  var columns: Int
  var elements: [Double]

  init(_ rows: Int, _ columns: Int, _ value: (Int, Int) -> Double) {
    self.rows = rows
    self.columns = columns
    elements = []
    for i in 0..<rows {
      for j in 0..<columns { elements.append(value(i, j)) }
    }
  }

  static func identity(_ n: Int) -> TestMatrix { TestMatrix(n, n) { $0 == $1 ? 1 : 0 } }

  static func random(_ rows: Int, _ columns: Int, seed: UInt64) -> TestMatrix {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return TestMatrix(rows, columns) { _, _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(Int64(bitPattern: state) >> 11) / 0x1p52
    }
  }

  subscript(i: Int, j: Int) -> Double {
    get { elements[i * columns + j] }
    set { elements[i * columns + j] = newValue }
  }

  var transposed: TestMatrix { TestMatrix(columns, rows) { self[$1, $0] } }

  var largest: Double { elements.reduce(0) { max($0, abs($1)) } }

  static func * (a: TestMatrix, b: TestMatrix) -> TestMatrix {
    var c = TestMatrix(a.rows, b.columns) { _, _ in 0 }
    for i in 0..<a.rows {
      for p in 0..<a.columns {
        let factor = a[i, p]
        for j in 0..<b.columns { c.elements[i * b.columns + j] += factor * b[p, j] }
      }
    }
    return c
  }

  static func - (a: TestMatrix, b: TestMatrix) -> TestMatrix {
    TestMatrix(a.rows, a.columns) { a[$0, $1] - b[$0, $1] }
  }
}

/// A scalar type under test and the accuracy to expect of it.
struct TestType: CustomStringConvertible, Sendable {
  var type: tk_type
  var description: String
  var epsilon: Double

  static let all = [
    TestType(type: TK_FLOAT32, description: "float32", epsilon: 0x1p-23),
    TestType(type: TK_FLOAT64, description: "float64", epsilon: 0x1p-52),
  ]

  /// The values of `matrix` as this type holds them.
  func rounded(_ matrix: TestMatrix) -> TestMatrix {
    if type == TK_FLOAT64 { return matrix }
    return TestMatrix(matrix.rows, matrix.columns) { Double(Float(matrix[$0, $1])) }
  }

  /// Lets `body` work on a copy of `matrix` in this type, whose rows lie `columns + padding` apart.
  ///
  /// Elements between the rows start as NaN and must stay so.
  func withBuffer<Result>(
    _ matrix: inout TestMatrix, padding: Int = 0,
    _ body: (UnsafeMutableRawPointer, Int) -> Result
  ) -> Result {
    func run<Scalar: BinaryFloatingPoint>(_: Scalar.Type) -> Result {
      let stride = matrix.columns + padding
      var buffer = [Scalar](repeating: .nan, count: max(1, matrix.rows * stride))
      for i in 0..<matrix.rows {
        for j in 0..<matrix.columns { buffer[i * stride + j] = Scalar(matrix[i, j]) }
      }
      let result = buffer.withUnsafeMutableBytes { bytes in
        guard let base = bytes.baseAddress else { fatalError("an empty buffer") }
        return body(base, stride)
      }
      for i in 0..<matrix.rows {
        for j in 0..<matrix.columns { matrix[i, j] = Double(buffer[i * stride + j]) }
        for j in matrix.columns..<stride where !buffer[i * stride + j].isNaN {
          fatalError("wrote outside the matrix")
        }
      }
      return result
    }
    return type == TK_FLOAT32 ? run(Float.self) : run(Double.self)
  }
}

/// The implementations present on this machine.
let testBackends: [LinearAlgebra.Backend] =
  LinearAlgebra.isLibraryLoaded ? [.builtIn, .library] : [.builtIn]
