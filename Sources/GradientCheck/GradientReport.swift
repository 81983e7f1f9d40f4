/// What a gradient check found: an answer, the disagreements behind it, and what agreed.
///
/// `description` is one line where everything passed, otherwise a table of the disagreements.
public struct GradientReport: Sendable, Hashable, Codable {
  /// The comparisons a gradient check makes, in this order.
  public enum Check: String, Sendable, Hashable, Codable, CaseIterable {
    /// Two evaluations give the same bits.
    case determinism
    /// The value under each transform is the plain value.
    case tracedValue = "traced value"
    /// Tangents and cotangents have the shapes and types of what they belong to.
    case structure
    /// ⟨u, J v⟩ = ⟨Jᵀu, v⟩.
    case adjointIdentity = "adjoint identity"
    /// The pullback of a combination is the combination of the pullbacks.
    case linearity = "linearity of the pullback"
    /// J v, forward mode, against finite differences.
    case forward = "forward mode"
    /// Jᵀu, reverse mode, against finite differences.
    case reverse = "reverse mode"
    /// Jᵀu in single precision against double precision.
    case singlePrecision = "single precision"
    /// The Hessian of ⟨u, f⟩ times v, against finite differences of Jᵀu.
    case forwardOverReverse = "forward over reverse"
    /// The same, reverse mode applied to Jᵀu.
    case reverseOverReverse = "reverse over reverse"
    /// The same, reverse mode applied to J v.
    case reverseOverForward = "reverse over forward"
    /// The second derivative along v and w, against finite differences of J v.
    case forwardOverForward = "forward over forward"
    /// The three Hessian–vector products against each other.
    case modes = "agreement of second-order modes"
  }

  /// The result of one check.
  public struct Tally: Sendable, Hashable, Codable {
    /// Which check.
    public let check: Check
    /// How many numbers were compared.
    public internal(set) var comparisonCount = 0
    /// How many of them differ.
    public internal(set) var failureCount = 0
    /// How many of them the reference could not decide.
    public internal(set) var inconclusiveCount = 0
    /// How many had a reference from short or one-sided steps, because the function is undefined
    /// nearby.
    public internal(set) var domainLimitedCount = 0
    /// The largest difference in units of its limit.
    public internal(set) var worstRatio = 0.0
    /// Why the check was not made, if it was not.
    public internal(set) var reasonForSkipping: String?

    init(_ check: Check) { self.check = check }

    /// The result; nil if the check was not made.
    public var outcome: GradientOutcome? {
      if reasonForSkipping != nil { return nil }
      return failureCount > 0 ? .failed : inconclusiveCount > 0 ? .inconclusive : .passed
    }
  }

  /// What the caller named the function.
  public let name: String
  /// The highest order of derivatives that was asked for.
  public let order: Int
  /// The seed of the random directions; the same seed repeats the check exactly.
  public let seed: UInt64
  /// The number of floating-point elements of the arguments.
  public let inputCount: Int
  /// The number of floating-point elements of the result.
  public let outputCount: Int
  /// How often the function was run.
  public let evaluationCount: Int
  /// How long the check took.
  public let duration: Duration
  /// One entry for each check, in the order they were made.
  public let tallies: [Tally]
  /// Every disagreement, failures before inconclusive ones, worst first.
  public let disagreements: [GradientDisagreement]

  /// The overall result: failed if anything failed, inconclusive if anything could not be decided.
  public var outcome: GradientOutcome {
    let outcomes = tallies.compactMap(\.outcome)
    return outcomes.contains(.failed)
      ? .failed : outcomes.contains(.inconclusive) ? .inconclusive : .passed
  }

  /// Whether every comparison agreed and could be decided.
  public var passed: Bool { outcome == .passed }

  /// The largest difference in units of its limit: at most 1 if everything passed.
  public var worstRatio: Double { tallies.reduce(0) { max($0, $1.worstRatio) } }

  /// The number of comparisons of all checks.
  public var comparisonCount: Int { tallies.reduce(0) { $0 + $1.comparisonCount } }

  /// The result of one check; nil if it did not take place.
  public func outcome(of check: Check) -> GradientOutcome? {
    tallies.first { $0.check == check }?.outcome
  }
}

/// Thrown by `requireGradients` for a gradient check that did not pass.
public struct GradientCheckFailure: Error, Sendable, CustomStringConvertible {
  /// What was found.
  public let report: GradientReport
  /// The file of the call, as `Module/File.swift`.
  public let fileID: String
  /// The line of the call.
  public let line: Int

  /// The place of the call, and the report.
  public var description: String { "\(fileID):\(line): \(report)" }
}
