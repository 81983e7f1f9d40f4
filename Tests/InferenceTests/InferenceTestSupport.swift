import Autodiff
import Inference
import TestSupport

/// An independent sample with its mean, whose influence rows are the data.
func sampleMean(
  _ data: Tensor, _ sample: String = "sample", names: [String]? = nil, clusters: [Int]? = nil
) throws -> Estimate {
  let count = data.shape[1]
  return try Estimate(
    value: data.mean(alongAxis: 0), names: names ?? (0..<count).map { "x\($0)" },
    influence: [
      InfluenceRows(data, sample: SampleIdentity(name: sample), clusters: clusters)
    ])
}

/// Rows with correlations, unequal scales and a mean that is not 0.
func mixedRows(_ rows: Int, _ columns: Int, seed: UInt64) -> Tensor {
  let mixing = normal([columns, columns], seed: seed &+ 1000)
  let scales = exp(Tensor.range(columns) - Double(columns) / 2)
  return matmul(normal([rows, columns], seed: seed), mixing) * scales + 0.3
}

/// The covariance of the mean of rows, by explicit sums over clusters.
func directCovariance(_ data: Tensor, clusters: [Int]? = nil) -> [[Double]] {
  let (n, d) = (data.shape[0], data.shape[1])
  let x = (0..<n).map { data[$0].scalars }
  let mean = (0..<d).map { column in x.map { $0[column] }.reduce(0, +) / Double(n) }
  let labels = clusters ?? Array(0..<n)
  let groups = Set(labels)
  var sum = [[Double]](repeating: [Double](repeating: 0, count: d), count: d)
  for group in groups {
    let members = (0..<n).filter { labels[$0] == group }
    let s = (0..<d).map { column in members.map { x[$0][column] - mean[column] }.reduce(0, +) }
    for i in 0..<d { for j in 0..<d { sum[i][j] += s[i] * s[j] } }
  }
  let g = Double(groups.count)
  return sum.map { $0.map { g / (g - 1) * $0 / Double(n * n) } }
}

/// The largest difference of elements, relative to the largest element of `b`.
func relativeDifference(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  return (a - b).normInfinity().scalar / max(b.normInfinity().scalar, .leastNormalMagnitude)
}
