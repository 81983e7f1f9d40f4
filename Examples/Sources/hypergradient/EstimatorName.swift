/// The estimators that can be compared.
///
/// The raw value is the name on the command line, in tables and in legends.
enum EstimatorName: String, CaseIterable, Codable {
  /// The formula of the implicit function theorem at x as it is.
  case plain
  /// After one gradient step of length 1 / λmax.
  case gradientStep = "step-1/L"
  /// After one step by the diagonal of the Hessian, unscaled.
  case diagonal
  /// After the same step scaled so that it cannot overshoot.
  case safeDiagonal = "diagonal-safe"
  /// After one step by an L-BFGS inverse Hessian of 5 pairs.
  case lbfgs
  /// After one step by 2, 5 or 10 iterations of conjugate gradients.
  case cg2, cg5, cg10
  /// After one step by the Hessian at a point 10 % or 1 % off the solution.
  case frozen10 = "frozen-10%"
  case frozen1 = "frozen-1%"
  /// After one Newton step.
  case newton
  /// Corrected to second order at x itself.
  case linearized
  /// In the coordinates z of a reparameterisation.
  case repDiagonal = "rep-diag"
  case repFull = "rep-full"
  case repExponential = "rep-exp"
  case repKappa = "rep-kappa"
  case repNewton = "rep-newton"
  /// The best separable coordinates after a safe diagonal step.
  case composed = "diagonal-safe+rep-kappa"
  /// Baselines that remain wrong at the exact solution.
  case identityInverse = "identity-inverse"
  case lastStep = "one-step"
  case neumann10 = "neumann-10"

  /// What it does, in a line.
  var explanation: String { words.1 }

  /// The panel of the figure it belongs to.
  var kind: String { words.0 }

  private var words: (String, String) {
    let step = "Preconditioned steps and correction"
    let coordinates = "Reparameterisations"
    switch self {
    case .plain: return (step, "implicit differentiation at x as it is")
    case .gradientStep: return (step, "after one gradient step of length 1/L")
    case .diagonal: return (step, "after one step by the diagonal of the Hessian")
    case .safeDiagonal: return (step, "the same, scaled so that it cannot overshoot")
    case .lbfgs: return (step, "after one step by an L-BFGS inverse Hessian of 5 pairs")
    case .cg2: return (step, "after a step by 2 iterations of conjugate gradients")
    case .cg5: return (step, "the same by 5 iterations")
    case .cg10: return (step, "the same by 10 iterations")
    case .frozen10: return (step, "after a step by the Hessian at a point 10 % off the solution")
    case .frozen1: return (step, "the same at a point 1 % off")
    case .newton: return (step, "after one Newton step")
    case .linearized: return (step, "corrected to second order at x itself")
    case .repDiagonal: return (coordinates, "in coordinates by the diagonal of the Hessian")
    case .repFull: return (coordinates, "in coordinates by the Hessian")
    case .repExponential: return (coordinates, "in the coordinates log |x|")
    case .repKappa: return (coordinates, "in the best separable coordinates")
    case .repNewton: return (coordinates, "in coordinates by the Newton residual")
    case .composed: return (coordinates, "rep-kappa after a safe diagonal step")
    case .identityInverse: return (Self.baselines, "a constant for the inverse Hessian")
    case .lastStep: return (Self.baselines, "differentiates the last inner step only")
    case .neumann10: return (Self.baselines, "10 Neumann terms for it")
    }
  }

  private static let baselines = "Approximate baselines"

  /// The list for the help, a line to each.
  static var help: String {
    func names(_ size: Int) -> String {
      defaults(innerSize: size).map(\.rawValue).joined(separator: ", ")
    }
    return "Estimators ('(approximate)': wrong at the exact solution too):\n"
      + allCases.map { "  \($0.label): \($0.explanation)" }.joined(separator: "\n")
      + "\n\nWithout --estimators: \(names(1)); with more than 30 features only \(names(31))."
  }

  /// Whether an error remains at the exact solution.
  var isApproximate: Bool { kind == Self.baselines }

  /// How it is called in tables and legends: baselines say that they are approximate.
  var label: String { isApproximate ? "\(rawValue) (approximate)" : rawValue }

  /// What is compared where nothing else was asked for: one of each kind, without those that take
  /// dense matrices and third derivatives where these are large.
  static func defaults(innerSize: Int) -> [EstimatorName] {
    let matrixFree: [EstimatorName] = [.plain, .safeDiagonal, .cg5, .newton, .linearized]
    let small: [EstimatorName] = [.repDiagonal, .repFull, .repExponential, .repKappa, .composed]
    return innerSize <= 30 ? matrixFree + small : matrixFree
  }
}
