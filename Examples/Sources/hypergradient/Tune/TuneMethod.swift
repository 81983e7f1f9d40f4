/// A way to the hypergradient of the validation loss.
enum TuneMethod: Hashable {
  case exact, implicit
  case newton, conjugateGradients(Int), diagonal, lbfgs, linearized
  case repExponential, repDiagonal, repFull, repNewton
  case unrolled, checkpointed, lastSteps(Int), oneStep
  case identity, valueFunction, gradientPenalty

  /// What is known of a method.
  private struct Entry {
    let name: String
    let method: TuneMethod
    let summary: String
    var approximation: String?
  }

  /// The methods whose names stand for themselves, in the order of the help.
  private static let fixed: [Entry] = {
    func entry(
      _ name: String, _ method: TuneMethod, _ summary: String, wrong approximation: String? = nil
    ) -> Entry {
      Entry(name: name, method: method, summary: summary, approximation: approximation)
    }
    func implicit(_ name: String, _ method: TuneMethod, _ how: String) -> Entry {
      entry(name, method, "implicit differentiation \(how)")
    }
    let biased = "biased by O(1 / --strength); inner solves by L-BFGS"
    let oneIteration = "differentiates the inner steps of one outer iteration only"
    return [
      entry("exact", .exact, "closed form at the exact inner solution, the yardstick"),
      implicit("aid", .implicit, "at the approximate inner solution"),
      implicit("newton", .newton, "after a Newton step"),
      implicit("diagonal", .diagonal, "after a step by the Hessian's diagonal"),
      implicit("lbfgs", .lbfgs, "after a step by an L-BFGS inverse Hessian"),
      implicit("linearized", .linearized, "corrected to second order"),
      implicit("rep-exp", .repExponential, "in the coordinates log |x|"),
      implicit("rep-diag", .repDiagonal, "in coordinates by the Hessian's diagonal"),
      implicit("rep-full", .repFull, "in coordinates by the Hessian"),
      implicit("rep-newton", .repNewton, "of the Newton residual"),
      entry("itd", .unrolled, "reverse mode through the inner steps", wrong: oneIteration),
      entry(
        "itd-checkpointed", .checkpointed, "reverse mode through the inner steps, in segments",
        wrong: oneIteration),
      entry(
        "one-step", .oneStep, "reverse mode through the last inner step",
        wrong: "differentiates the last inner step only"),
      entry(
        "identity", .identity, "implicit differentiation without a linear system",
        wrong: "puts the inner step for the inverse Hessian"),
      entry("value-function", .valueFunction, "penalty on the value function", wrong: biased),
      entry("gradient-penalty", .gradientPenalty, "penalty on the inner gradient", wrong: biased),
    ]
  }()

  private var entry: Entry {
    switch self {
    case .conjugateGradients(let count):
      Entry(
        name: "cg\(count)", method: self,
        summary: "implicit differentiation after \(count) iterations of conjugate gradients")
    case .lastSteps(let count):
      Entry(
        name: "itd-last\(count)", method: self,
        summary: "reverse mode through the last \(count) inner steps",
        approximation: "differentiates the last \(count) inner steps only")
    default: Self.fixed.first { $0.method == self } ?? Self.fixed[0]
    }
  }

  /// The list for the help, a line to each.
  static var help: String {
    let lines = fixed.map {
      "  \($0.name)\($0.approximation == nil ? "" : "*"): \($0.summary)"
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
  var name: String { entry.name }

  /// How it is called in tables and legends: one that stays wrong at the solution says so.
  var label: String { approximation == nil ? name : "\(name) (approximate)" }

  /// What remains wrong at the exact inner solution; nil where nothing does.
  var approximation: String? { entry.approximation }

  /// What kind of computation it is, in a few words.
  var summary: String { entry.summary }
}
