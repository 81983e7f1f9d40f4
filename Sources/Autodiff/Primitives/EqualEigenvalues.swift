/// Which eigenvalues of a batch of symmetric matrices are equal to rounding.
struct EqualEigenvalues {
  private let shape: Shape
  private let type: ScalarType
  /// Runs of equal eigenvalues of a matrix.
  private let groups: [(matrix: Int, members: Range<Int>)]

  private var n: Int { shape[shape.rank - 1] }

  /// What counts as equal, relative to the largest, in units of n ulp: rounding leaves equal
  /// eigenvalues apart by some ulp of the largest, and a gap amplifies the error of the vectors by
  /// ulp / gap.
  static let resolution = 1e4

  /// - Parameter w: […, n], ascending.
  init(_ w: Tensor, resolution: Double = Self.resolution) {
    shape = w.shape
    type = w.scalarType
    let n = w.shape[w.rank - 1]
    let resolution = resolution * Double(n) * w.scalarType.ulpOfOne
    let values = stopGradient(w).scalars
    var groups: [(matrix: Int, members: Range<Int>)] = []
    for row in stride(from: 0, to: values.count, by: max(1, n)) {
      let largest = max(values[row].magnitude, values[row + n - 1].magnitude)
      var start = 0
      for index in 1..<n + 1
      where index == n || values[row + index] - values[row + index - 1] > resolution * largest {
        if index - start > 1 { groups.append((row / n, start..<index)) }
        start = index
      }
    }
    self.groups = groups
  }

  /// The refusal that names the first pair.
  var first: LinearAlgebraError? {
    groups.first.map {
      .equalEigenvalues(
        first: $0.members.lowerBound, second: $0.members.lowerBound + 1, matrix: $0.matrix)
    }
  }

  /// […, n, n]: 1 for pairs of equal eigenvalues, the diagonal among them, 0 elsewhere.
  var mask: Tensor {
    let identity = Tensor.identity(n, type)
    guard !groups.isEmpty else { return identity }
    var mask = [Double](repeating: 0, count: shape.elementCount * n)
    for place in 0..<shape.elementCount { mask[place * n + place % n] = 1 }
    for (matrix, members) in groups {
      for i in members { for j in members { mask[(matrix * n + i) * n + j] = 1 } }
    }
    return Tensor(mask, shape: Shape(Array(shape) + [n])).cast(to: type)
  }

  /// The first pair of equal eigenvalues on which a function depends by more than their sum and the
  /// space of their vectors, given K = Vᵀ V̄ and w̄.
  func firstDependence(_ k: Tensor, _ w̄: Tensor?) -> LinearAlgebraError? {
    guard !groups.isEmpty else { return nil }
    let k = stopGradient(k).scalars
    let w̄ = w̄.map { stopGradient($0).scalars }
    // What the rounding of cotangents may amount to, relative to the largest of a matrix.
    let rounding = 1e3 * Double(n) * type.ulpOfOne
    for (matrix, members) in groups {
      let rows = matrix * n..<(matrix + 1) * n
      let noise = rounding * (k[rows.lowerBound * n..<rows.upperBound * n].map(abs).max() ?? 0)
      let weightNoise = rounding * (w̄?[rows].map(abs).max() ?? 0)
      for i in members {
        for j in members where j > i {
          let rotation = k[(rows.lowerBound + i) * n + j] - k[(rows.lowerBound + j) * n + i]
          let weights = w̄.map { $0[rows.lowerBound + i] - $0[rows.lowerBound + j] } ?? 0
          // Written so that NaN is a dependence.
          if !(abs(rotation) <= noise && abs(weights) <= weightNoise) {
            return .equalEigenvalues(first: i, second: j, matrix: matrix)
          }
        }
      }
    }
    return nil
  }

  /// The vectors, with those of equal eigenvalues turned inside their space to no special position:
  /// their own basis may be one of unit vectors, where functions of single vectors happen to be
  /// stationary.
  ///
  /// Two reflections make a turn; one would be a symmetric matrix, which is special too.
  func turned(_ vectors: Tensor) -> Tensor {
    guard !groups.isEmpty else { return vectors }
    var elements = vectors.scalars
    for (matrix, members) in groups {
      for irrational in [0.6180339887498949, 0.4142135623730951] {
        // Between 1/2 and 3/2, no two of them equal.
        var normal = (1...members.count).map {
          1 + (Double($0) * irrational).remainder(dividingBy: 1)
        }
        let length = normal.reduce(0) { $0 + $1 * $1 }.squareRoot()
        normal = normal.map { $0 / length }
        for row in 0..<n {
          let start = (matrix * n + row) * n + members.lowerBound
          let along = normal.indices.reduce(0) { $0 + elements[start + $1] * normal[$1] }
          for index in normal.indices { elements[start + index] -= 2 * along * normal[index] }
        }
      }
    }
    return Tensor(elements, shape: vectors.shape).cast(to: type)
  }
}
