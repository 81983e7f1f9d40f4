import Autodiff
import Inference
import Solvers

/// A bilevel problem with quadratic losses whose targets are affine in ω ∈ ℝᵈ.
///
///     h_ω = argmin_h E[½ (h(X) − g_ω)²],   g_ω = r + dgᵀ ω
///     F(ω) = E[½ (h_ω(X) − y_ω)²],         y_ω = y + kᵀ ω,  k a function of X
///
/// Instrumental-variable regression is the case r = k = 0 with dg the features of the treatment, X
/// the instruments and y the outcome. Fitted Q-evaluation has r the reward, dg = γ ψ(S′, A′),
/// k = ψ(S, A), X = (S, A) and y = 0.
///
/// Regressions of r, dg and y on X are all the nuisances there are, and they serve every ω: gradients
/// over a whole path or grid, roots and bands are products with numbers found once.
public struct AffineProblem: Sendable {
  /// X, [n, p].
  public let inputs: Tensor
  /// r, [n].
  public let innerIntercept: Tensor
  /// dg, [n, d].
  public let innerSlope: Tensor
  /// y, [n].
  public let outcome: Tensor
  /// k, [n, d].
  public let outerSlope: Tensor
  /// What of these are functions of X, which are not regressed but taken as they are.
  public let known: Known
  /// A name for every coordinate of ω.
  public let names: [String]
  /// The group of every row, nil where all rows are independent.
  ///
  /// Rows of different groups are.
  public let groups: [Int]?
  private let givenSample: SampleIdentity?

  /// Targets that are functions of X.
  public struct Known: Sendable, Equatable {
    /// Columns of dg: exogenous regressors, for example.
    public var slopeColumns: Set<Int>
    /// Whether r is a function of X.
    public var intercept: Bool
    /// Whether y is a function of X.
    public var outcome: Bool

    /// - Parameters:
    ///   - slopeColumns: Columns of dg.
    public init(slopeColumns: Set<Int> = [], intercept: Bool = false, outcome: Bool = false) {
      self.slopeColumns = slopeColumns
      self.intercept = intercept
      self.outcome = outcome
    }
  }

  /// The problem of ω in which the score is affine: its terms, row by row.
  ///
  /// - Parameters:
  ///   - inputs: X, [n, p].
  ///   - innerIntercept: r, [n]; nil for zero.
  ///   - innerSlope: dg, [n, d].
  ///   - outcome: y, [n]; nil for zero.
  ///   - outerSlope: k, [n, d]; nil for zero.
  ///   - known: Targets that are functions of X.
  ///   - names: Nil for w[0], w[1], ….
  ///   - groups: The group of every row; nil where all rows are independent.
  ///   - sample: Who the units are; nil to know them by the numbers in all columns. Give it where
  ///     estimates of several problems on the same units are compared: by their numbers they would count
  ///     as independent.
  /// - Throws: `OrthogonalError` where a number is not finite or the outcome is constant.
  /// - Precondition: Shapes agree.
  public init(
    inputs: Tensor, innerIntercept: Tensor? = nil, innerSlope: Tensor, outcome: Tensor? = nil,
    outerSlope: Tensor? = nil, known: Known = Known(), names: [String]? = nil,
    groups: [Int]? = nil, sample: SampleIdentity? = nil
  ) throws(SolverError) {
    guard inputs.rank == 2, innerSlope.rank == 2, let count = inputs.shape.first, count > 0 else {
      stop(
        "AffineProblem",
        "expected inputs [n, p] and slopes [n, d], found \(inputs.shape) and \(innerSlope.shape)")
    }
    let dimension = innerSlope.shape[1]
    func column(_ tensor: Tensor?, _ shape: Shape, _ what: String) throws(SolverError) -> Tensor {
      let tensor = tensor?.cast(to: .float64) ?? .zeros(shape)
      guard tensor.shape == shape else {
        stop("AffineProblem", "expected the \(what) as \(shape), found \(tensor.shape)")
      }
      try tensor.requireFiniteRows(what)
      return tensor
    }
    self.inputs = try column(inputs, inputs.shape, "inputs")
    self.innerIntercept = try column(innerIntercept, [count], "intercepts of the inner target")
    self.innerSlope = try column(innerSlope, [count, dimension], "slopes of the inner target")
    self.outcome = try column(outcome, [count], "outcomes")
    self.outerSlope = try column(outerSlope, [count, dimension], "slopes of the outer target")
    if let outcome, count > 1, outcome.max().scalar == outcome.min().scalar {
      throw .function(
        OrthogonalError.constantTarget(what: "outcomes", value: outcome.min().scalar))
    }
    if let groups, groups.count != count {
      throw .function(
        OrthogonalError.wrongRowCount(what: "groups", found: groups.count, expected: count))
    }
    guard names.map({ $0.count == dimension }) ?? true,
      known.slopeColumns.allSatisfy({ 0..<dimension ~= $0 })
    else {
      stop(
        "AffineProblem",
        "expected \(dimension) names and known columns below \(dimension), found "
          + "\(names?.count ?? dimension) and \(known.slopeColumns.sorted())")
    }
    var known = known
    // What is absent is zero, a function of X.
    if innerIntercept == nil { known.intercept = true }
    if outcome == nil { known.outcome = true }
    self.known = known
    self.names = names ?? (0..<dimension).map { "w[\($0)]" }
    self.groups = groups
    givenSample = sample
  }

  /// n.
  public var count: Int { inputs.shape[0] }
  /// d.
  public var dimension: Int { innerSlope.shape[1] }

  /// Who the units are: what was given, or a fingerprint of all columns.
  public var sample: SampleIdentity {
    givenSample
      ?? SampleIdentity(fingerprint: [inputs, innerIntercept, innerSlope, outcome, outerSlope])
  }

  /// The targets that are regressed on X, [n, c], and a name for each.
  var targets: (columns: Tensor, names: [String]) {
    var (columns, names): ([Tensor], [String]) = ([], [])
    if !known.intercept {
      columns.append(innerIntercept.expandingShape(at: 1))
      names.append("inner intercept")
    }
    let free = freeColumns
    if !free.isEmpty {
      columns.append(innerSlope.gathering(Tensor(indices: free), alongAxis: 1))
      names += free.map { "slope of \(self.names[$0])" }
    }
    if !known.outcome {
      columns.append(outcome.expandingShape(at: 1))
      names.append("outcome")
    }
    let all = columns.isEmpty ? Tensor.zeros([count, 0]) : .concatenated(columns, alongAxis: 1)
    return (all, names)
  }

  /// The nuisances of predictions of the targets at the rows of this problem.
  ///
  /// - Parameters:
  ///   - intercept: E[r | X], where it is not predicted.
  ///   - outcome: m, where it is not predicted.
  ///   - knownSlope: Known columns of j, [k, d]; those of this problem's rows for nil.
  func nuisances(
    of predictions: Tensor, intercept: Tensor? = nil, outcome: Tensor? = nil,
    knownSlope: Tensor? = nil
  ) -> AffineNuisances {
    var next = 0
    func column() -> Tensor {
      defer { next += 1 }
      return predictions[0..., next]
    }
    let intercept = intercept ?? (known.intercept ? innerIntercept : column())
    let knownSlope = knownSlope ?? innerSlope
    var slope = knownSlope
    let free = freeColumns
    if free.count == dimension {
      slope = predictions.slice(next..<next + dimension, alongAxis: 1)
      next += dimension
    } else if !free.isEmpty {
      let columns = (0..<dimension).map {
        known.slopeColumns.contains($0) ? knownSlope[0..., $0] : column()
      }
      slope = .stacked(columns, alongAxis: 1)
    }
    return AffineNuisances(
      intercept: intercept, slope: slope,
      outcome: outcome ?? (known.outcome ? self.outcome : column()))
  }

  private var freeColumns: [Int] {
    (0..<dimension).filter { !known.slopeColumns.contains($0) }
  }
}

/// Values of the regressions of an affine problem at its rows: estimates, or the truth.
public struct AffineNuisances: Sendable {
  /// E[r | X], [n].
  public var intercept: Tensor
  /// j = E[dg | X], [n, d].
  public var slope: Tensor
  /// m = E[y | X], [n].
  public var outcome: Tensor

  /// Given values.
  public init(intercept: Tensor, slope: Tensor, outcome: Tensor) {
    self.intercept = intercept
    self.slope = slope
    self.outcome = outcome
  }
}

extension Tensor {
  /// Throws where a number is NaN or infinite.
  func requireFiniteRows(_ what: String) throws(SolverError) {
    if isFinite { return }
    let width = Swift.max(1, elementCount / Swift.max(1, shape[0]))
    let elements = scalars
    let rows = (0..<shape[0]).filter { row in
      !elements[row * width..<(row + 1) * width].allSatisfy(\.isFinite)
    }
    throw .function(
      OrthogonalError.notFinite(what: what, row: rows.first ?? 0, count: rows.count))
  }
}
