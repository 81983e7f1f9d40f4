import Autodiff
import Inference
import Solvers

/// Cross-fitted nuisances of a bilevel problem: a debiased objective of ω, its orthogonal gradient and
/// what can be inferred from them.
public struct OrthogonalFit<Outer: TensorTree>: Sendable {
  /// One fold: its values as functions of ω, and where its held-out rows are in the samples.
  struct Fold: Sendable {
    let rows: DebiasedRows<Outer>
    let inner: Tensor
    let outer: Tensor
  }

  /// The folds of one split, which hold out every row once.
  struct Split: Sendable {
    let folds: [Fold]
  }

  let splits: [Split]
  let sample: SampleDescription
  let settings: CrossFittedSettings

  /// The debiased estimate of F(ω), a scalar, differentiable in ω: its gradient is the orthogonal
  /// hypergradient, so a loss that adds a penalty on ω is minimised like any other.
  ///
  /// The mean over splits, where `hypergradient(at:)` takes the median. Of second and higher order where
  /// nuisances are in linear classes.
  public func value(at outer: Outer) throws(SolverError) -> Tensor {
    var total: Tensor?
    for split in splits {
      let value = try split.means(at: outer, sample)
      total = total.plus(value)
    }
    guard let total else { stop("OrthogonalFit.value", "there is no split") }
    return total / Double(splits.count)
  }

  /// F(ω) with its standard error; of several splits the median.
  public func objective(at outer: Outer) throws(SolverError) -> Estimate {
    requireConstant(outer, "OrthogonalFit.objective")
    return try Estimate.aggregated(splits) { split throws(SolverError) in
      let (outerRows, innerRows) = try split.assembled { fold throws(SolverError) in
        let values = try fold.rows.values(outer, nil)
        return (values.outer.expandingShape(at: 1), values.inner?.expandingShape(at: 1))
      }
      return try estimate(["F"], outerRows, innerRows)
    }
  }

  /// ∇F(ω) with its covariance, [d] in the order of ω's tensors; of several splits the median.
  ///
  /// Every coordinate costs one pass along the tape of the fold fits, and n numbers are kept for it.
  public func hypergradient(at outer: Outer) throws(SolverError) -> Estimate {
    let layout = FlatLayout(of: outer, "OrthogonalFit.hypergradient")
    let directions = (0..<layout.size).lazy.map {
      Tensor.basisVector($0, layout.size, layout.scalarType)
    }
    return try derivatives(at: outer, layout, along: Array(directions), names: layout.names)
  }

  /// vᵀ∇F(ω) for given directions, without the other coordinates.
  ///
  /// - Parameter directions: Trees like ω.
  public func directionalDerivatives(
    at outer: Outer, along directions: [Outer], names: [String]? = nil
  ) throws(SolverError) -> Estimate {
    let layout = FlatLayout(of: outer, "OrthogonalFit.directionalDerivatives")
    let vectors = directions.map {
      layout.vector($0, "OrthogonalFit.directionalDerivatives", "direction")
    }
    return try derivatives(
      at: outer, layout, along: vectors,
      names: names ?? directions.indices.map { "direction \($0)" })
  }

  /// Hypergradients at several ω as one estimate, whose simultaneous intervals are a band.
  public func hypergradients(at grid: [Outer]) throws(SolverError) -> Estimate {
    guard !grid.isEmpty else { stop("OrthogonalFit.hypergradients", "the grid has no ω") }
    var estimates: [Estimate] = []
    for outer in grid { estimates.append(try hypergradient(at: outer)) }
    return Estimate.stacked(estimates, labels: grid.indices.map { "ω\($0)" })
  }

  /// Stops where ω is being differentiated: an estimate would silently count as constant.
  func requireConstant(_ outer: Outer, _ operation: String) {
    guard outer.tensors.contains(where: \.isTraced) else { return }
    stop(
      operation,
      """
      ω is being differentiated, but an estimate is a constant of every transform. Differentiate \
      value(at:), or pass stopGradient(ω) if a constant is meant
      """)
  }

  // MARK: Rows

  func derivatives(
    at outer: Outer, _ layout: FlatLayout<Outer>, along directions: [Tensor], names: [String]
  ) throws(SolverError) -> Estimate {
    requireConstant(outer, "OrthogonalFit.hypergradient")
    let point = layout.vector(outer, "OrthogonalFit", "point")
    return try Estimate.aggregated(splits) { split throws(SolverError) in
      let (outerRows, innerRows) = try split.assembled { fold throws(SolverError) in
        let (value, differential) = try linearize(at: point) {
          (ω: Tensor) throws(SolverError) -> [Tensor] in
          let values = try fold.rows.values(layout.tree(ω), nil)
          return [values.outer] + (values.inner.map { [$0] } ?? [])
        }
        var columns: [[Tensor]] = value.map { _ in [] }
        for direction in directions {
          for (index, column) in try differential(direction).enumerated() {
            columns[index].append(column)
          }
        }
        return (
          .stacked(columns[0], alongAxis: 1),
          columns.count > 1 ? .stacked(columns[1], alongAxis: 1) : nil
        )
      }
      return try estimate(names, outerRows, innerRows)
    }
  }

  /// An estimate from rows of the outer and the inner sample.
  func estimate(
    _ names: [String], _ outerRows: Tensor, _ innerRows: Tensor?
  ) throws(SolverError) -> Estimate {
    return try calling {
      guard let innerRows, !sample.isOneSample else {
        let rows = innerRows.map { outerRows + $0 } ?? outerRows
        let (mean, influence) = rows.weightedMean(sample.outerWeights)
        return try Estimate(
          value: mean, names: names,
          influence: [InfluenceRows(influence, sample: sample.outer, clusters: sample.groups)])
      }
      let (outerMean, outerInfluence) = outerRows.weightedMean(sample.outerWeights)
      let (innerMean, innerInfluence) = innerRows.weightedMean(sample.innerWeights)
      return try Estimate(
        value: outerMean + innerMean, names: names,
        influence: [
          InfluenceRows(outerInfluence, sample: sample.outer),
          InfluenceRows(innerInfluence, sample: sample.inner),
        ])
    }
  }
}

extension OrthogonalFit.Split {
  /// Rows of all folds in the order of the samples.
  func assembled(
    _ body: (OrthogonalFit.Fold) throws(SolverError) -> (outer: Tensor, inner: Tensor?)
  ) throws(SolverError) -> (outer: Tensor, inner: Tensor?) {
    var (outerParts, innerParts): ([Tensor], [Tensor]) = ([], [])
    for fold in folds {
      let (outer, inner) = try body(fold)
      outerParts.append(outer)
      if let inner { innerParts.append(inner) }
    }
    let outer = Tensor.reassembled(outerParts, at: folds.map(\.outer))
    guard !innerParts.isEmpty else { return (outer, nil) }
    return (outer, .reassembled(innerParts, at: folds.map(\.inner)))
  }

  /// mean ℓ_out + mean aᵀ∂ᵥℓ_in.
  fileprivate func means(
    at ω: Outer, _ sample: SampleDescription
  ) throws(SolverError) -> Tensor {
    var total: Tensor?
    for fold in folds {
      let values = try fold.rows.values(ω, nil)
      var part = sample.outerWeights.mean(of: values.outer, at: fold.outer)
      if let inner = values.inner { part += sample.innerWeights.mean(of: inner, at: fold.inner) }
      total = total.plus(part)
    }
    guard let total else { stop("OrthogonalFit", "a split has no fold") }
    return total
  }
}

extension Tensor {
  /// The mean of rows with weights of mean 1, and its influence rows wᵢ (φᵢ − φ̄).
  ///
  /// Weights are relative to their own sum, which moves with a row too: what is the same in all rows
  /// has no error, whatever the weights.
  fileprivate func weightedMean(_ weights: Tensor) -> (mean: Tensor, influence: Tensor) {
    let (rows, weights) = (cast(to: .float64), weights.cast(to: .float64).expandingShape(at: 1))
    let mean = (weights * rows).mean(alongAxis: 0)
    return (mean, weights * (rows - mean))
  }

  /// The part of a weighted mean over n rows that some rows contribute; these are the n weights.
  fileprivate func mean(of values: Tensor, at rows: Tensor) -> Tensor {
    dot(gathering(rows, alongAxis: 0), values) / Double(elementCount)
  }
}

extension FlatLayout {
  /// A name for every element of the vector: the path of its tensor and its place in it.
  var names: [String] {
    blocks.flatMap { block in
      let name = block.name.isEmpty ? "w" : block.name
      return block.range.count == 1 && !block.name.isEmpty
        ? [name] : (0..<block.range.count).map { "\(name)[\($0)]" }
    }
  }
}

extension OrthogonalFit {
  /// Blocks for `Estimate.summary(blocks:)`: the score, the nuisances and the splits.
  public var summaryBlocks: [Estimate.SummaryBlock] { settings.blocks }
}
