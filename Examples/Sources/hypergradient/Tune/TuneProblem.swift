import Autodiff
import HyperparameterProblems

/// Training, validation and test rows, with what is exact about them.
struct TuneProblem {
  /// Training rows for the inner problem, validation rows for the outer one.
  let data: DataSplit
  /// Rows that neither training nor tuning sees; nil if there are none.
  let test: LabeledData?
  let loss: RowLoss
  let regression: PenalizedRegression
  let outer: ValidationLoss
  /// What the validation loss is divided by where its size matters: the variance of the label in the
  /// validation rows, or 1 for a loss that has no unit.
  let lossUnit: Double
  /// Bounds of the eigenvalues of the Hessian of the mean loss, wherever it is taken.
  private let curvatures: ClosedRange<Double>

  /// Reads the rows, and standardises features by those for training if asked to.
  ///
  /// - Parameters:
  ///   - testFraction: The share of the rows kept for validation that goes to the test.
  ///   - work: What tuning on them takes.
  init(
    _ options: DataOptions, loss: RowLoss, testFraction: Double, standardizes: Bool, work: WorkSize
  ) throws {
    var split = try options.split(for: loss, holdsOut: true, work: work)
    let isBundled = options.data == nil && options.simulate == nil
    if isBundled, loss == .logistic, standardizes {
      // The first file of the liver data is scaled, the second is in the units of the laboratory, and
      // the map between them is lost. Standardised each by itself, both are on one scale.
      func alone(_ rows: LabeledData) throws -> LabeledData {
        try DataSplit(training: rows, validation: rows).standardized(centersLabels: false).training
      }
      split = try DataSplit(
        training: alone(split.training), validation: alone(split.validation))
    }
    var test: LabeledData?
    // Fewer than four rows cannot be divided into two parts that say anything.
    if testFraction > 0, split.validation.rowCount >= 4 {
      let parts = try split.validation.split(
        validationFraction: testFraction, seed: options.dataSeed)
      test = parts.validation
      split = try DataSplit(training: split.training, validation: parts.training)
    }
    if standardizes {
      let centers = loss == .squared
      test = try test.map {
        try DataSplit(training: split.training, validation: $0)
          .standardized(centersLabels: centers).validation
      }
      split = split.standardized(centersLabels: centers)
    }
    (data, self.test, self.loss) = (split, test, loss)
    regression = PenalizedRegression(data.training, loss: loss)
    outer = ValidationLoss(data.validation, loss: loss)
    lossUnit = loss == .squared ? Self.spread(of: data.validation.labels) : 1
    let a = data.training.features
    let isWide = a.shape[0] < a.shape[1]
    // The smaller of the two Gram matrices has the same largest eigenvalue.
    let gram = matmul(a, a, transposeA: !isWide, transposeB: isWide) / Double(a.shape[0])
    let values = try symmetricEigenvalues(symmetrized(gram))
    let largest = max(values.max().scalar, 0)
    // The second derivative of the logistic loss lies between 0 and 1/4.
    curvatures = 0...(loss == .squared ? largest : largest / 4)
  }

  /// The variance, or else the mean square where that is 0, or else 1.
  private static func spread(of labels: Tensor) -> Double {
    let variance = square(labels - labels.mean()).mean().scalar
    let mean = square(labels).mean().scalar
    return variance > 1e-24 * mean ? variance : mean > 0 ? mean : 1
  }

  /// n, the number of features and of penalties.
  var size: Int { regression.innerSize }

  /// The step 2 / (L + μ) of gradient descent on the inner problem, which cannot diverge.
  ///
  /// L and μ bound the curvatures: those of the data plus those of the penalties, whatever the angle
  /// between their eigenvectors.
  func innerStep(at y: Tensor) -> Double {
    let penalties = exp(y) / Double(size)
    let largest = curvatures.upperBound + penalties.max().scalar
    return 2 / (largest + curvatures.lowerBound + penalties.min().scalar)
  }

  /// f(x, y).
  func inner(_ x: Tensor, _ y: Tensor) -> Tensor { regression.objective(x, y) }

  /// g(x, y).
  func validationLoss(_ x: Tensor, _ y: Tensor) -> Tensor { outer.value(x, y) }

  /// x*(y), to rounding.
  func solution(at y: Tensor, from start: Tensor? = nil) throws(ProblemError) -> Tensor {
    try regression.solution(at: y, from: start)
  }

  /// The losses at the exact solution of log penalties.
  func losses(at y: Tensor, from start: Tensor? = nil) throws(ProblemError) -> TuneLosses {
    let x = try solution(at: y, from: start)
    return TuneLosses(
      validation: outer.value(x, y).scalar,
      test: test.map { ValidationLoss($0, loss: loss).value(x, y).scalar },
      coefficients: x.scalars)
  }

  /// A number that two runs on the same rows share.
  var checksum: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    let parts = [data.training, data.validation] + (test.map { [$0] } ?? [])
    for part in parts {
      for value in [Double(part.rowCount)] + part.features.scalars + part.labels.scalars {
        hash = (hash ^ value.bitPattern) &* 0x100_0000_01b3
      }
    }
    return String(hash, radix: 16)
  }
}

/// What a choice of penalties is worth.
struct TuneLosses: Codable {
  /// The mean loss on the validation rows.
  let validation: Double
  /// The mean loss on rows that neither training nor tuning saw; nil if there are none.
  let test: Double?
  /// The exact solution of the inner problem.
  let coefficients: [Double]
}
