import Autodiff

extension Losses {
  /// The negative log-likelihood of labels 0 and 1 with log-odds v, summed over the outputs:
  /// −y ln σ(v) − (1 − y) ln σ(−v).
  ///
  /// Computed as y softplus(−v) + (1 − y) softplus(v), which neither overflows nor cancels. A label
  /// between 0 and 1 is a probability.
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
    return rowSums("logistic", label * softplus(-logOdds) + (1 - label) * softplus(logOdds))
  }

  /// The negative log-likelihood of class labels under softmax probabilities: ln Σⱼ eᵛʲ − v[y].
  ///
  /// Scores are taken relative to that of the label, so the sum does not overflow and a small loss
  /// keeps its digits down to 10⁻¹⁶ whatever the size of the scores.
  ///
  /// - Parameters:
  ///   - scores: v, of shape [n, classes]; −∞ excludes a class.
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
    let isLabel =
      labels.expandingShape(at: 1) .== Tensor.range(classCount, .int32).expandingShape(at: 0)
    let own = select(isLabel, scores, Tensor(0, like: scores)).sum(
      alongAxis: 1, keepingDimension: true)
    return (scores - own).logSumExp(alongAxis: 1)
  }

  /// The cross-entropy of softmax probabilities relative to given ones: ln Σⱼ eᵛʲ − Σⱼ pⱼ vⱼ.
  ///
  /// It exceeds the Kullback–Leibler divergence by the entropy of p. The derivative with respect to
  /// p is that of Σⱼ pⱼ (ln Σᵢ eᵛⁱ − vⱼ), with every pⱼ free.
  ///
  /// - Parameters:
  ///   - scores: v, of shape [n, classes]; −∞ excludes a class of probability 0.
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
    // 0 · ∞ of an excluded class is 0.
    let isExcluded = (probabilities .== 0) .& (scores .== -.infinity)
    let surprise = (-scores.logSoftmax(alongAxis: 1)).zeroed(where: isExcluded)
    return (probabilities * surprise).sum(alongAxis: 1)
  }

  private static func requireScores(_ scores: Tensor) {
    guard scores.rank == 2, scores.shape[1] > 0 else {
      stop("softmaxCrossEntropy", "expected scores [n, classes], found shape \(scores.shape)")
    }
  }
}
