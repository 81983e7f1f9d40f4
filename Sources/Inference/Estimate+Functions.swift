import Autodiff

extension Estimate {
  /// The estimate of Mθ, with covariance M Cov Mᵀ.
  ///
  /// - Parameters:
  ///   - matrix: M, [m, d], finite.
  ///   - names: A name for each row of M; its number by default.
  /// - Throws: `InferenceError` for another number of names, or no row.
  public func mapped(
    by matrix: Tensor, names: [String]? = nil
  ) throws(InferenceError) -> Estimate {
    guard matrix.rank == 2, matrix.shape[1] == count else {
      stop(
        "Estimate.mapped",
        "expected a matrix of shape [m, \(count)], a column for each coordinate, "
          + "found \(matrix.shape). Transpose it, or reshape a vector to [1, \(count)]")
    }
    guard matrix.isFinite else {
      stop("Estimate.mapped", "expected a finite matrix, found infinite or NaN elements. Check it")
    }
    return try linear(
      value: matmul(matrix.cast(to: .float64), value), matrix.cast(to: .float64), names)
  }

  /// The estimate of a differentiable function of θ, by the delta method: covariance J Cov Jᵀ.
  ///
  /// - Parameters:
  ///   - names: A name for each element of f; its number by default.
  ///   - f: A function from [d] to a floating-point tensor of any shape, which is flattened.
  /// - Throws: `InferenceError` for a value or a derivative that is not finite, for another number
  ///   of names, or what `f` threw.
  /// - Complexity: One Jacobian J of `f`.
  public func transformed(
    names: [String]? = nil, by f: (Tensor) throws -> Tensor
  ) throws(InferenceError) -> Estimate {
    let image: Tensor
    let derivative: Tensor
    do {
      image = try f(value).flattened()
      derivative = try jacobian(at: value) { try f($0).flattened() }
    } catch {
      throw .function(error)
    }
    let labels = names ?? Self.numbered(image.elementCount)
    if labels.count == image.elementCount, image.isFinite, !derivative.isFinite {
      let rows = (derivative * 0).sum(alongAxis: 1).scalars
      throw .nonFiniteDerivative(
        coordinates: labels.indices.filter { rows[$0] != 0 }.map { labels[$0] })
    }
    return try linear(value: image, derivative.cast(to: .float64), labels)
  }

  /// Some coordinates, in the order of `indices`, which may repeat.
  ///
  /// - Precondition: At least one index, each from 0 to d − 1.
  public func selected(_ indices: [Int]) -> Estimate {
    guard !indices.isEmpty, indices.allSatisfy(names.indices.contains) else {
      stop(
        "Estimate.selected",
        "expected at least one index, each from 0 to \(count - 1), found "
          + "\(indices). Count coordinates from 0")
    }
    let columns = Tensor(indices: indices)
    return Estimate(
      checked: value.gathering(columns, alongAxis: 0), indices.map { names[$0] },
      influence.map { part in part.map { $0.gathering(columns, alongAxis: 1) } })
  }

  /// The coordinates of several estimates in one.
  ///
  /// Rows of a common sample stand side by side, so that the joint covariance is right: an estimate
  /// at each point of a grid becomes one whose simultaneous intervals are a band.
  ///
  /// - Parameters:
  ///   - estimates: At least one.
  ///   - labels: What to write before the names of each; nothing by default.
  /// - Precondition: A label for each estimate; equal rows and clusters in a common sample.
  public static func stacked(_ estimates: [Estimate], labels: [String]? = nil) -> Estimate {
    guard !estimates.isEmpty else {
      stop("Estimate.stacked", "expected at least one estimate, found none. Stack what there is")
    }
    if let labels, labels.count != estimates.count {
      stop(
        "Estimate.stacked",
        "expected a label for each of the \(estimates.count) estimates, found "
          + "\(labels.count). Give one each, or none at all")
    }
    var samples: [InfluenceRows] = []
    for part in estimates.flatMap(\.influence) {
      if let known = samples.first(where: { $0.sample == part.sample }) {
        known.requireAligned(with: part, "Estimate.stacked")
      } else {
        samples.append(part)
      }
    }
    let influence = samples.map { sample in
      let columns = estimates.map { estimate in
        estimate.influence.first { $0.sample == sample.sample }?.rows
          ?? Tensor.zeros([sample.count, estimate.count])
      }
      return sample.map { _ in Tensor.concatenated(columns, alongAxis: 1) }
    }
    let names = estimates.indices.flatMap { position in
      let label = labels.map { "\($0[position]) " } ?? ""
      return estimates[position].names.map { label + $0 }
    }
    return Estimate(
      checked: Tensor.concatenated(estimates.map(\.value)), names, influence)
  }

  private func linear(
    value: Tensor, _ matrix: Tensor, _ names: [String]?
  ) throws(InferenceError) -> Estimate {
    try Estimate(
      value: value, names: names ?? Self.numbered(value.elementCount),
      influence: influence.map { $0.mapped(by: matrix) })
  }

  private static func numbered(_ count: Int) -> [String] { (0..<count).map { "[\($0)]" } }
}
