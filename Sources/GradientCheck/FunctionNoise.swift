/// The noise in the values of a curve near 0: the standard deviation of what is not smooth, from
/// rounding or from an unfinished iteration inside.
///
/// Hamming's difference table in the form of Moré and Wild (SIAM J. Sci. Comput. 33, 1292, 2011): at
/// equally spaced points so close together that the curve is a straight line among them, k-th
/// differences show only noise, amplified by a factor whose square is (2k)!/(k!)².
///
/// - Parameters:
///   - curve: The curve; nil where it is undefined.
///   - spacing: Between points.
/// - Returns: One value for each element; nil if the curve is undefined on both sides of 0.
package func functionNoise(of curve: (Double) -> [Double]?, spacing: Double) -> [Double]? {
  let pointCount = 8
  func values(_ spacing: Double) -> [[Double]]? {
    var values: [[Double]] = []
    for point in 0..<pointCount {
      guard let value = curve(Double(point) * spacing) else { return nil }
      values.append(value)
    }
    return values
  }
  // On one side only: across a kink at 0 no difference would be small.
  guard var differences = values(spacing) ?? values(-spacing) else { return nil }
  var noise = differences[0].map { _ in 0.0 }
  var amplification = 1.0
  for order in 1...6 {
    differences = zip(differences.dropFirst(), differences).map { zip($0, $1).map(-) }
    amplification *= Double(2 * (2 * order - 1)) / Double(order)
    // Lower differences may still see the slope and the curvature.
    guard order >= 4 else { continue }
    for index in noise.indices {
      let meanSquare =
        differences.reduce(0) { $0 + $1[index] * $1[index] } / Double(differences.count)
      noise[index] = max(noise[index], (meanSquare / amplification).squareRoot())
    }
  }
  return noise
}
