// Every function moves the generator on by a number of draws that depends on the shape only, and
// gives the same bits on every machine and for every thread count (see `PhiloxGenerator`). The
// results are constants to every transform.

extension Tensor {
  /// Independent uniform numbers on [lower, upper).
  ///
  /// - Precondition: `lower < upper`, both finite.
  public static func uniform(
    _ shape: Shape, from lower: Double = 0, to upper: Double = 1,
    _ scalarType: ScalarType = .float64, using generator: inout PhiloxGenerator
  ) -> Tensor {
    random(shape, scalarType, "uniform") {
      generator.fillUniform($0, from: lower, to: upper)
    } float: {
      generator.fillUniform($0, from: Float(lower), to: Float(upper))
    }
  }

  /// Independent normal numbers.
  public static func normal(
    _ shape: Shape, mean: Double = 0, standardDeviation: Double = 1,
    _ scalarType: ScalarType = .float64, using generator: inout PhiloxGenerator
  ) -> Tensor {
    random(shape, scalarType, "normal") {
      generator.fillNormal($0, mean: mean, standardDeviation: standardDeviation)
    } float: {
      generator.fillNormal(
        $0, mean: Float(mean), standardDeviation: Float(standardDeviation))
    }
  }

  /// Independent normal numbers conditioned to lie in [lower, upper]; either bound may be infinite.
  ///
  /// - Precondition: `lower < upper`.
  public static func truncatedNormal(
    _ shape: Shape, mean: Double = 0, standardDeviation: Double = 1, from lower: Double,
    to upper: Double, _ scalarType: ScalarType = .float64,
    using generator: inout PhiloxGenerator
  ) -> Tensor {
    random(shape, scalarType, "truncatedNormal") {
      generator.fillTruncatedNormal(
        $0, mean: mean, standardDeviation: standardDeviation, from: lower, to: upper)
    } float: {
      generator.fillTruncatedNormal(
        $0, mean: Float(mean), standardDeviation: Float(standardDeviation), from: Float(lower),
        to: Float(upper))
    }
  }

  /// Independent `int32` numbers, equally likely in a range.
  ///
  /// - Precondition: The range is not empty and fits 32 bits.
  public static func integers(
    _ shape: Shape, in range: Range<Int>, using generator: inout PhiloxGenerator
  ) -> Tensor {
    guard let lower = Int32(exactly: range.lowerBound),
      let upper = Int32(exactly: range.upperBound)
    else { stop("integers", "the range \(range) does not fit 32 bits") }
    return indices(shape) { generator.fillIntegers($0, in: lower..<upper) }
  }

  /// The numbers 0 ..< count in random order, `int32`.
  public static func permutation(_ count: Int, using generator: inout PhiloxGenerator) -> Tensor {
    indices([count]) { generator.fillPermutation($0) }
  }

  /// `count` numbers of 0 ..< n drawn with equal probabilities, `int32`.
  ///
  /// - Precondition: n is positive; without replacement `count` is at most n.
  public static func choice(
    _ count: Int, from n: Int, withReplacement: Bool, using generator: inout PhiloxGenerator
  ) -> Tensor {
    withReplacement
      ? integers([count], in: 0..<n, using: &generator)
      : indices([count]) { generator.fillChoice($0, from: n) }
  }

  /// `count` positions of `weights` drawn with probabilities proportional to them, `int32`.
  ///
  /// - Precondition: Weights are finite and not negative, and enough of them are positive.
  public static func choice(
    _ count: Int, weights: [Double], withReplacement: Bool,
    using generator: inout PhiloxGenerator
  ) -> Tensor {
    weights.withUnsafeBufferPointer { weights in
      indices([count]) {
        if withReplacement {
          generator.fillWeightedIndices($0, weights: weights)
        } else {
          generator.fillWeightedChoice($0, weights: weights)
        }
      }
    }
  }

  private static func random(
    _ shape: Shape, _ scalarType: ScalarType, _ operation: String,
    double: (UnsafeMutableBufferPointer<Double>) -> Void,
    float: (UnsafeMutableBufferPointer<Float>) -> Void
  ) -> Tensor {
    Tensor(shape, scalarType) { out in
      let count = shape.elementCount
      switch scalarType {
      case .float64:
        double(.init(start: out.assumingMemoryBound(to: Double.self), count: count))
      case .float32:
        float(.init(start: out.assumingMemoryBound(to: Float.self), count: count))
      case .int32, .bool:
        stop(operation, "expected a floating-point scalar type, found \(scalarType)")
      }
    }
  }

  private static func indices(
    _ shape: Shape, _ fill: (UnsafeMutableBufferPointer<Int32>) -> Void
  ) -> Tensor {
    Tensor(shape, .int32) { out in
      fill(.init(start: out.assumingMemoryBound(to: Int32.self), count: shape.elementCount))
    }
  }
}
