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

  /// Whether an error remains at the exact solution.
  var isApproximate: Bool {
    switch self {
    case .identityInverse, .lastStep, .neumann10: true
    default: false
    }
  }

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
