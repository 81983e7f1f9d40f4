import Autodiff
import Orthogonal
import Testing

/// The general score where expectations are exact.
@Suite("Scores on a finite space") struct FiniteSpaceTests {
  private let space: FiniteSpace
  private let reference: OrthogonalReference
  /// The fit with the true nuisances.
  private let fit: OrthogonalFit<Tensor>

  init() throws {
    space = try FiniteSpace()
    reference = space.reference
    fit = try space.fit(h: reference["h"], reference["J"], a: reference["a"], reference["b"])
  }

  /// Rows of the score without their weights, [20, 3], not centred.
  private func scores(_ fit: OrthogonalFit<Tensor>) throws -> Tensor {
    let estimate = try fit.hypergradient(at: space.point)
    let weights = reference["probabilities"].reshaped(to: [20, 1]) * 20
    return estimate.influence[0].rows / weights + estimate.value
  }

  @Test("Scores agree with the reference") func scoresAgreeWithTheReference() throws {
    let expected = reference["scores"].reshaped(to: [20, 3])
    #expect(discrepancy(try scores(fit), expected) < 1e-12)
    let other = try space.fit(
      h: reference["h2"], reference["J2"], a: reference["a2"], reference["b2"])
    let expectedOther = reference["scores2"].reshaped(to: [20, 3])
    #expect(discrepancy(try scores(other), expectedOther) < 1e-12)
  }

  @Test("Mean is the gradient") func meanIsTheGradient() throws {
    let estimate = try fit.hypergradient(at: space.point)
    #expect(discrepancy(estimate.value, reference["gradient"]) < 1e-12)
    let exact = try space.gradient(probabilities: reference["probabilities"])
    #expect(discrepancy(exact, reference["gradient"]) < 1e-10)
    let value = try fit.value(at: space.point).scalar
    #expect(abs(value - reference["objective"][0].scalar) < 1e-12)
  }

  /// The score is the influence function itself: it is how ∇F moves when probability is moved to
  /// one atom.
  @Test("Score is the pathwise derivative") func scoreIsThePathwiseDerivative() throws {
    let rows = try scores(fit)
    let probabilities = reference["probabilities"]
    let gradient = reference["gradient"]
    let step = 1e-5
    for atom in 0..<20 {
      let mass = Tensor.identity(20)[atom].reshaped(to: [4, 5])
      let forward = try space.gradient(probabilities: (1 - step) * probabilities + step * mass)
      let backward = try space.gradient(probabilities: (1 + step) * probabilities - step * mass)
      let derivative = (forward - backward) / (2 * step)
      #expect(discrepancy(derivative, rows[atom] - gradient) < 1e-7)
    }
  }

  @Test("Score is orthogonal to every nuisance") func scoreIsOrthogonalToEveryNuisance() throws {
    for coordinate in 0..<3 {
      let direction = Tensor.identity(3)[coordinate]
      for sensitivity in try fit.sensitivities(at: space.point, along: direction) {
        let relative = abs(sensitivity.derivative) / sensitivity.scoreDeviation
        #expect(relative < 1e-12, "\(sensitivity)")
      }
    }
  }

  @Test("Plug-in is not orthogonal") func plugInIsNotOrthogonal() throws {
    let plugIn = try space.fit(
      h: reference["h"], reference["J"], a: reference["a"], reference["b"], isOrthogonal: false)
    let sensitivities = try plugIn.sensitivities(
      at: space.point, along: Tensor.identity(3)[0])
    for nuisance in ["h", "J"] {
      let largest =
        sensitivities.filter { $0.nuisance == nuisance }
        .map { abs($0.derivative) }.max() ?? 0
      #expect(largest > 0.1)
    }
  }

  /// The check sees a nuisance that is wrong: with another h the score is not orthogonal in b.
  @Test("Sensitivity shows a wrong nuisance") func sensitivityShowsAWrongNuisance() throws {
    let wrong = try space.fit(
      h: reference["h2"], reference["J"], a: reference["a"], reference["b"])
    let sensitivities = try wrong.sensitivities(
      at: space.point, along: Tensor.identity(3)[0])
    let largest = sensitivities.filter { $0.nuisance == "b" }.map { abs($0.derivative) }.max() ?? 0
    #expect(largest > 0.01)
  }

  /// Nuisances fitted in a table on folds with the same probabilities are the true ones, with their
  /// Jacobians: the whole layer has the exact gradient.
  @Test("Fitted nuisances are exact in a table") func fittedNuisancesAreExactInATable() throws {
    // Five copies of the space, one in each fold.
    let copies = Tensor(indices: (0..<100).map { $0 % 20 })
    let sample = space.sample.rows(copies)
    var layer = space.layer
    layer.crossFitting = CrossFitting(
      folds: [try Folds(assignment: (0..<100).map { $0 / 20 })])
    layer.crossFitting.allowsDuplicates = true
    let fitted = try layer.fit(on: BilevelSample(sample), at: space.point)
    let estimate = try fitted.hypergradient(at: space.point)
    #expect(discrepancy(estimate.value, reference["gradient"]) < 1e-9)
    let expected = reference["scores"].reshaped(to: [20, 3])
    let weights = reference["probabilities"].reshaped(to: [20, 1]) * 20
    let rows = estimate.influence[0].rows.slice(0..<20, alongAxis: 0) / weights
    #expect(discrepancy(rows + estimate.value, expected) < 1e-8)
    // The gradient of the debiased value in reverse mode, and its Hessian by finite differences.
    let slope = try gradient(at: space.point) { ω in try fitted.value(at: ω) }
    #expect(discrepancy(slope, reference["gradient"]) < 1e-9)
    let curvature = try hessian(at: space.point) { ω in try fitted.value(at: ω) }
    let step = 1e-5
    for coordinate in 0..<3 {
      let shift = step * Tensor.identity(3)[coordinate]
      let forward = try gradient(at: space.point + shift) { ω in try fitted.value(at: ω) }
      let backward = try gradient(at: space.point - shift) { ω in try fitted.value(at: ω) }
      #expect(discrepancy((forward - backward) / (2 * step), curvature[coordinate]) < 1e-8)
    }
  }
}
