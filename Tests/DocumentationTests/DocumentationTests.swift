import Autodiff
import Bilevel
import Foundation
import Neural
import Testing

@Suite("Documents")
struct DocumentationTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Lines without indentation, blank lines and imports.
  private static func lines(_ text: Substring) -> [String] {
    text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("import ") }
  }

  @Test("Every Swift example of a document stands in Snippets.swift, where it compiles")
  func examplesCompile() throws {
    let snippets = try String(
      contentsOf: Self.root.appending(path: "Tests/DocumentationTests/Snippets.swift"),
      encoding: .utf8)
    let compiled = "\n" + Self.lines(snippets[...]).joined(separator: "\n") + "\n"
    let docs = try FileManager.default.contentsOfDirectory(
      at: Self.root.appending(path: "Docs"), includingPropertiesForKeys: nil)
    var count = 0
    for file in docs.filter({ $0.pathExtension == "md" }) + [Self.root.appending(path: "README.md")]
    {
      let text = try String(contentsOf: file, encoding: .utf8)
      for block in text.components(separatedBy: "```swift\n").dropFirst() {
        let code = Self.lines(block.components(separatedBy: "\n```")[0][...]).joined(
          separator: "\n")
        #expect(
          compiled.contains("\n\(code)\n"),
          "\(file.lastPathComponent): not in Snippets.swift:\n\(code)")
        count += 1
      }
    }
    #expect(count >= 4)
  }

  @Test("The examples give what their comments say")
  func examplesRun() throws {
    let results = Snippets.transforms()
    #expect(results[0].scalars == [1, -2, 4])
    let e = exp(Tensor([0.5, -1, 2]))
    #expect(results[2].isBitwiseEqual(to: e * Tensor([1, 0, -1])))
    #expect(results[3].isBitwiseEqual(to: e))
    #expect(abs(results[4].sum()).scalar < 1e-15)
    #expect(results[5].scalar == 2)
    let line = Snippets.descent(Tensor([-1, 0, 2]), Tensor([-1, 1, 5]))  // y = 2x + 1
    #expect((Tensor.stacked(line) - Tensor([2, 1])).norm().scalar < 1e-6)
    #expect(Snippets.training().tensorPaths.count == 6)
    try Snippets.check()
    // (x^⅓)″ = −2/9 x^(−5/3).
    #expect(abs(Snippets.customDerivative() + 2.0 / 9 / 32).scalar < 1e-16)
  }

  @Test("The example of a functional problem learns which source to leave out")
  func functionalBilevel() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    let (ω, losses, loops) = try Snippets.functionalBilevel(checkpoint: file.path)
    let (first, last) = try (#require(losses.first), #require(losses.last))
    // It weighs less than a fifth of the others.
    #expect(ω.scalars[2] < min(ω.scalars[0], ω.scalars[1]) - log(5))
    // The noise of the trusted rows has variance 0.04.
    #expect(first > 0.15)
    #expect(last < 0.06)
    let next = try loops.map { try $0.step().outer }
    #expect(next[0] == next[1])
    #expect(loops.map(\.stepCount) == [6, 6])
  }

  @Test("The examples of orthogonal inference find the truth of their simulation")
  func orthogonalInference() throws {
    let results = try Snippets.orthogonalInference()
    // E[ψ(T) | X] shrinks sin and cos by e^(−1/8); the gradient at ω is A (ω − ω*).
    let z = (results.root.value - Tensor([1, -0.5])) / results.root.standardErrors
    #expect(abs(z).max().scalar < 4)
    #expect(results.root.names == ["sin", "cos"])
    #expect(results.isDownhill)
    #expect(results.bound > results.estimate.value.norm().scalar)
    #expect(results.path.count == 22)
    let pointwise = results.path.intervals()
    #expect((pointwise.lower - results.band.lower).min().scalar > 0)
    // ∇F is affine here: the change over the grid is the curvature times the distance, 1 in ω₀.
    let first = results.path.value[0..<2]
    let second = results.path.value[2..<4]
    let error = abs(results.change.value - 10 * (second - first)).max().scalar
    #expect(error < 1e-10)
    #expect(results.slope.count == 2 && results.stationary.count == 2)
    #expect(results.evidence.count == 12)
    #expect(results.evidence.allSatisfy { abs($0.zStatistic) < 5 })
  }

  @Test("The example of a training run fits its function, and its checkpoint resumes it")
  func trainingRuns() throws {
    let files = (0..<2).map { _ in
      FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    }
    defer { for file in files { try? FileManager.default.removeItem(at: file) } }
    func run() throws -> (training: Training<MLP, [Tensor]>, fitted: MLP, loaded: MLP) {
      try Snippets.trainingRun(checkpoint: files[0].path, weights: files[1].path)
    }
    let (training, fitted, loaded) = try run()
    // The targets have variance 1.09.
    let losses = training.epochs.compactMap(\.validationLoss)
    #expect(losses.count == training.epochs.count)
    #expect(try #require(losses.min()) < 0.2)
    #expect(fitted.tensors.count == 4)
    for (a, b) in zip(fitted.tensors, loaded.tensors) { #expect(a.isBitwiseEqual(to: b)) }
    // A second program finds the file, and has nothing left to do.
    let again = try run().training
    #expect(again.epochs == training.epochs)
    for (a, b) in zip(again.model.tensors, training.model.tensors) {
      #expect(a.isBitwiseEqual(to: b))
    }
  }

  @Test("The bilevel examples agree with one another")
  func bilevelExamplesRun() throws {
    let (slope, opaque, result) = try Snippets.bilevel()
    #expect((slope - opaque).norm().scalar <= 1e-10)
    #expect((slope - result.gradient).norm().scalar <= 1e-7)
    let estimate = try #require(result.record.estimatedRelativeError)
    #expect(estimate < 1e-6)
  }

  @Test("The example of policy evaluation covers the value of a random walk")
  func policyEvaluation() throws {
    // The reward is the first coordinate of the state, which the push does not move:
    // E[S′ | S] = 0.5 S, so Q = s / (1 − 0.9 · 0.5) and the value is E[S] / 0.55 = 1 / 0.55.
    var draws = PhiloxGenerator(seed: 1)
    let first = Tensor.normal([400, 2], mean: 1, using: &draws)
    let second = 0.5 * first + Tensor.normal([400, 2], standardDeviation: 0.5, using: &draws)
    let third = 0.5 * second + Tensor.normal([400, 2], standardDeviation: 0.5, using: &draws)
    let states = Tensor.concatenated([first, second])
    let pushes = Tensor.integers([800], in: 0..<2, using: &draws).scalars
    let result = try Snippets.policyEvaluation(
      states, pushes, states[0..., 0], .concatenated([second, third]),
      Array(repeating: false, count: 800), Array(0..<400) + Array(0..<400))
    let error = abs(result.value.value[0].scalar - 1 / 0.55)
    #expect(error < 3 * result.value.standardErrors[0].scalar)
    #expect(error < 0.2)
  }

  @Test("The example of instrumental variables estimates Card's return to schooling three ways")
  func instrumentalVariables() throws {
    let results = try Snippets.instrumentalVariables(
      Self.root.appending(path: "Examples/Data/card.csv").path)
    // By NumPy: (ZᵀX)⁻¹Zᵀy.
    let effect = try #require(results.linear.parameters["educ"])
    #expect(abs(effect / 0.2213902497595348 - 1) < 1e-9)
    #expect(results.orthogonal.effects.names == ["educ"] && results.deep.outerLosses.count == 60)
    #expect(results.linear.sample.n == 3010 && results.deep.sample.exogenous.count == 4)
  }
}
