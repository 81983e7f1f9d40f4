/// A way to the hypergradient of the validation loss.
enum TuneMethod: Hashable {
  case exact, implicit
  case newton, conjugateGradients(Int), diagonal, lbfgs, linearized
  case repExponential, repDiagonal, repFull, repNewton
  case unrolled, checkpointed, lastSteps(Int), oneStep
  case identity, valueFunction, gradientPenalty

  /// The names that stand for themselves, in the order of the help.
  static let fixed: [(name: String, method: TuneMethod)] = [
    ("exact", .exact), ("aid", .implicit), ("newton", .newton), ("diagonal", .diagonal),
    ("lbfgs", .lbfgs), ("linearized", .linearized), ("rep-exp", .repExponential),
    ("rep-diag", .repDiagonal), ("rep-full", .repFull), ("rep-newton", .repNewton),
    ("itd", .unrolled), ("itd-checkpointed", .checkpointed), ("one-step", .oneStep),
    ("identity", .identity), ("value-function", .valueFunction),
    ("gradient-penalty", .gradientPenalty),
  ]

  /// The list for the help, a line to each.
  static var help: String {
    let lines = fixed.map { name, method in
      "  \(name)\(method.approximation == nil ? "" : "*"): \(method.summary)"
    }
    return "Methods (* approximate: wrong at the exact inner solution too):\n"
      + (lines + [
        "  cgK: as newton, by K iterations of conjugate gradients; such as cg5",
        "  itd-lastK*: reverse mode through the last K inner steps; such as itd-last5",
      ]).joined(separator: "\n")
  }

  /// All names, for messages.
  static let names = (fixed.map(\.name) + ["cgK", "itd-lastK"]).joined(separator: ", ")

  /// The method of a name, nil if there is none.
  init?(name: String) {
    if let known = Self.fixed.first(where: { $0.name == name }) {
      self = known.method
    } else if let count = Self.count(name, after: "itd-last") {
      self = .lastSteps(count)
    } else if let count = Self.count(name, after: "cg") {
      self = .conjugateGradients(count)
    } else {
      return nil
    }
  }

  private static func count(_ name: String, after prefix: String) -> Int? {
    guard name.hasPrefix(prefix) else { return nil }
    let digits = name.dropFirst(prefix.count)
    // Int("+5") is 5, which would make two names of one method.
    guard digits.first?.isNumber == true, let count = Int(digits), (1...10_000).contains(count),
      String(count) == digits
    else { return nil }
    return count
  }

  /// The name on the command line.
  var name: String {
    switch self {
    case .conjugateGradients(let count): "cg\(count)"
    case .lastSteps(let count): "itd-last\(count)"
    default: Self.fixed.first { $0.method == self }?.name ?? ""
    }
  }

  /// How it is called in tables and legends: one that stays wrong at the solution says so.
  var label: String { approximation == nil ? name : "\(name) (approximate)" }

  /// What remains wrong at the exact inner solution; nil where nothing does.
  var approximation: String? {
    switch self {
    case .unrolled, .checkpointed:
      "differentiates the inner steps of one outer iteration only"
    case .lastSteps(let count): "differentiates the last \(count) inner steps only"
    case .oneStep: "differentiates the last inner step only"
    case .identity: "puts the inner step for the inverse Hessian"
    case .valueFunction, .gradientPenalty: "biased by O(1 / --strength); inner solves by L-BFGS"
    default: nil
    }
  }

  /// What kind of computation it is, in a few words.
  var summary: String {
    switch self {
    case .exact: "closed form at the exact inner solution, the yardstick"
    case .implicit: "implicit differentiation at the approximate inner solution"
    case .newton: "implicit differentiation after a Newton step"
    case .conjugateGradients(let count):
      "implicit differentiation after \(count) iterations of conjugate gradients"
    case .diagonal: "implicit differentiation after a step by the Hessian's diagonal"
    case .lbfgs: "implicit differentiation after a step by an L-BFGS inverse Hessian"
    case .linearized: "implicit differentiation corrected to second order"
    case .repExponential: "implicit differentiation in the coordinates log |x|"
    case .repDiagonal: "implicit differentiation in coordinates by the Hessian's diagonal"
    case .repFull: "implicit differentiation in coordinates by the Hessian"
    case .repNewton: "implicit differentiation of the Newton residual"
    case .unrolled: "reverse mode through the inner steps"
    case .checkpointed: "reverse mode through the inner steps, in segments"
    case .lastSteps(let count): "reverse mode through the last \(count) inner steps"
    case .oneStep: "reverse mode through the last inner step"
    case .identity: "implicit differentiation without a linear system"
    case .valueFunction: "penalty on the value function"
    case .gradientPenalty: "penalty on the inner gradient"
    }
  }
}
