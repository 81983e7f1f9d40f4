import Autodiff

extension LinearClass {
  /// Polynomials: all monomials of the inputs up to a degree, the constant first.
  ///
  /// The inputs are not scaled; scale them where their sizes differ by orders of magnitude.
  ///
  /// - Parameters:
  ///   - inputSize: p, the number of input columns.
  ///   - degree: The largest total degree; there are (p + degree)! / (p! degree!) monomials.
  public static func polynomials(inputSize: Int, degree: Int, ridge: Double = 0) -> LinearClass {
    guard inputSize > 0, degree >= 0 else {
      stop(
        "LinearClass.polynomials",
        "expected at least one input and a degree of 0 or more, found \(inputSize) and \(degree)")
    }
    let monomials = Self.monomials(inputSize, degree)
    return LinearClass(name: "polynomials of degree \(degree)", ridge: ridge) { x in
      guard x.shape[1] == inputSize else {
        stop("LinearClass.polynomials", "expected \(inputSize) input columns, found \(x.shape[1])")
      }
      var columns = [Tensor.ones([x.shape[0]], x.scalarType)]
      // A monomial is an earlier one times the input it ends with.
      for monomial in monomials.dropFirst() {
        columns.append(columns[monomial.factor] * x[0..., monomial.input])
      }
      return .stacked(columns, alongAxis: 1)
    }
  }

  /// For each monomial the place of the one it extends, and by which input, in order of degree.
  private static func monomials(_ inputSize: Int, _ degree: Int) -> [(factor: Int, input: Int)] {
    var all = [(factor: 0, input: 0)]
    var last = 0..<1
    for _ in 0..<degree {
      let start = all.count
      for factor in last {
        // Inputs in rising order, so that no product comes twice.
        let first = factor == 0 ? 0 : all[factor].input
        for input in first..<inputSize { all.append((factor, input)) }
      }
      last = start..<all.count
    }
    return all
  }
}
