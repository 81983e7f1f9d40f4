import Autodiff

/// Checks the derivatives of a function against finite differences and against each other.
///
///     let report = checkGradients(at: model, x) { model, x in model(x).sum() }
///     #expect(report.passed, "\(report)")
///
/// In order: two runs give the same bits; the value under each transform is the plain value;
/// ⟨u, J v⟩ = ⟨Jᵀu, v⟩; the pullback is linear; J v agrees with extrapolated central differences
/// along random directions; Jᵀu agrees with them element by element. At order 2 also the second
/// derivative of ⟨u, f⟩ by all four mixtures of modes agrees with differences of the gradient, and
/// the mixtures with each other. u and v are random, so the function may return any tree.
///
/// Differences are taken in double precision with steps adapted to each tensor's scale, to kinks
/// nearby and to the function's domain: a point where the function throws or is not finite is
/// avoided. A wrong derivative is never an error or a stop here, it is reported, with the tensor's
/// path, the index, both values and the limit. Where nothing can be decided (a kink at the very
/// point, a function with noise) the outcome is `.inconclusive`, which does not count as passed.
///
/// - Parameters:
///   - point: Any number of trees. Tensors that are not floating point are held fixed.
///   - name: What to call the function in the report.
///   - options: Order, tolerances, precision and cost of the check.
///   - f: A deterministic function, with a tree as its result.
/// - Returns: What was found.
/// - Throws: What `f`, or a derivative rule in it, throws at the point itself.
public func checkGradients<each T: TensorTree, Output: TensorTree, E: Error>(
  at point: repeat each T, named name: String = "function",
  options: GradientCheckOptions = GradientCheckOptions(), of f: (repeat each T) throws(E) -> Output
) throws(E) -> GradientReport {
  let point = TreePack(repeat each point)
  // A tree that leaves out a tensor is reported; asking it for its tensors would stop.
  let isSingle =
    point.omittedTensors.isEmpty && point.tensors.contains { $0.scalarType == .float32 }
  let settings = CheckSettings(
    name: name, order: options.order,
    tolerances: options.tolerances
      ?? (isSingle && options.precision == .asGiven ? .float32 : .float64),
    seed: options.seed, comparesSinglePrecision: isSingle && options.precision == .double,
    evaluationLimit: options.evaluationLimit)
  return try withoutActuallyEscaping(f) { f throws(E) in
    let run = CheckRun<TreePack<repeat each T>, Output, E>(settings) { arguments throws(E) in
      try f(repeat each arguments.elements)
    }
    return try run.report(at: point)
  }
}

/// Checks the derivatives of a function and throws if anything disagrees or cannot be decided.
///
///     @Test func derivatives() throws {
///       try requireGradients(at: model, x) { model, x in model(x).sum() }
///     }
///
/// The same line serves XCTest and programs. The error's description is the report, preceded by the
/// place of the call. See `checkGradients(at:named:options:of:)` for what is checked and the parameters.
///
/// - Returns: The report of a check that passed.
/// - Throws: `GradientCheckFailure`, or what `f` throws at the point itself.
@discardableResult
public func requireGradients<each T: TensorTree, Output: TensorTree, E: Error>(
  at point: repeat each T, named name: String = "function",
  options: GradientCheckOptions = GradientCheckOptions(), fileID: String = #fileID,
  line: Int = #line, of f: (repeat each T) throws(E) -> Output
) throws -> GradientReport {
  let report = try checkGradients(
    at: repeat each point, named: name, options: options, of: f)
  guard report.passed else {
    throw GradientCheckFailure(report: report, fileID: fileID, line: line)
  }
  return report
}
