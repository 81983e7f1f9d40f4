import Autodiff

extension Losses {
  /// The negative log-likelihood of labels 0 and 1 with log-odds v, summed over the outputs:
  /// −y ln σ(v) − (1 − y) ln σ(−v).
  ///
  /// Computed as y softplus(−v) + (1 − y) softplus(v), which neither overflows nor cancels. A label
  /// between 0 and 1 is a probability. Infinite log-odds cost nothing where the label agrees and +∞
  /// elsewhere.
  ///
  /// - Returns: [n].
  /// - Precondition: Labels in [0, 1]; map labels ±1 by (y + 1) / 2.
  public static func logistic(_ logOdds: Tensor, _ label: Tensor) -> Tensor {
    requireSameShape("logistic", logOdds, label)
    guard ((label .>= 0) .& (label .<= 1)).allTrue else {
      stop(
        "logistic",
        "expected labels in [0, 1], found another value or NaN; map labels ±1 by (y + 1) / 2")
    }
    return rowSums(
      "logistic",
      weighted(softplus(-logOdds), by: label) + weighted(softplus(logOdds), by: 1 - label))
  }

  /// The negative log-likelihood of class labels under softmax probabilities: ln Σⱼ eᵛʲ − v[y].
  ///
  /// A small loss keeps its digits, whatever the size of the scores. A label whose class is excluded
  /// costs +∞.
  ///
  /// - Parameters:
  ///   - scores: v, of shape [n, classes]; −∞ excludes a class, but not all of a row.
  ///   - labels: y, `int32` of shape [n].
  /// - Returns: [n].
  /// - Precondition: Labels in 0..<classes.
  public static func softmaxCrossEntropy(_ scores: Tensor, labels: Tensor) -> Tensor {
    requireScores(scores)
    guard labels.scalarType == .int32, labels.shape == [scores.shape[0]] else {
      stop(
        "softmaxCrossEntropy",
        """
        scores \(scores.shape) need int32 labels [\(scores.shape[0])], found \(labels.shape) \
        \(labels.scalarType); probabilities go to softmaxCrossEntropy(_:probabilities:)
        """)
    }
    let classCount = scores.shape[1]
    for (row, label) in labels.elements(as: Int32.self).enumerated()
    where label < 0 || Int(label) >= classCount {
      stop(
        "softmaxCrossEntropy", "label \(label) in row \(row) is not in 0..<\(classCount)")
    }
    return -scores.logSoftmax(alongAxis: 1)
      .picking(labels.expandingShape(at: 1), alongAxis: 1).squeezingShape(at: 1)
  }

  /// The cross-entropy of softmax probabilities relative to given ones: ln Σⱼ eᵛʲ − Σⱼ pⱼ vⱼ.
  ///
  /// It exceeds the Kullback–Leibler divergence by the entropy of p. The derivative with respect to
  /// p is that of Σⱼ pⱼ (ln Σᵢ eᵛⁱ − vⱼ), with every pⱼ free.
  ///
  /// - Parameters:
  ///   - scores: v, of shape [n, classes]; −∞ excludes a class, but not all of a row. A class that
  ///     is excluded costs +∞ unless its probability is 0.
  ///   - probabilities: p, of shape [n, classes].
  /// - Returns: [n].
  /// - Precondition: Rows of p are not negative and sum to 1 within 10⁻⁴.
  public static func softmaxCrossEntropy(_ scores: Tensor, probabilities: Tensor) -> Tensor {
    requireScores(scores)
    requireSameShape("softmaxCrossEntropy", scores, probabilities)
    let sums = stopGradient(probabilities).sum(alongAxis: 1)
    guard (probabilities .>= 0).allTrue, (abs(sums - 1) .<= 1e-4).allTrue else {
      stop(
        "softmaxCrossEntropy",
        "expected rows of probabilities, not negative and with sum 1, found other values or NaN")
    }
    return weighted(-scores.logSoftmax(alongAxis: 1), by: probabilities).sum(alongAxis: 1)
  }

  /// p s, and 0 where p = 0 even if s is infinite: what cannot happen costs nothing.
  private static func weighted(_ surprise: Tensor, by probability: Tensor) -> Tensor {
    guard surprise.hasInfinity else { return probability * surprise }
    let isNothing = (probability .== 0) .& (surprise .== .infinity)
    return probability * surprise.zeroed(where: isNothing)
  }

  private static func requireScores(_ scores: Tensor) {
    guard scores.rank == 2, scores.shape[1] > 0 else {
      stop("softmaxCrossEntropy", "expected scores [n, classes], found shape \(scores.shape)")
    }
  }
}
