import ArgumentParser
import ExampleSupport

/// `bilevel-inference kbo-path`: what a fixed penalty costs the kernel baseline.
struct KernelPathCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kbo-path",
    abstract: "Compare the kernel baseline at many penalties with its exact bias and with OBiGrad.",
    discussion: """
      An inner sample trains the regressions and an independent outer sample evaluates the gradient. \
      Kernel bilevel optimisation with a fixed λ converges to a wrong gradient, which is known in \
      closed form on normal inputs; the table splits its error into that bias and the rest.

      Designs:
      \(PathDesign.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))
      """)

  @Option(help: .value("name", "The design."))
  var design = PathDesign.paperIV3

  @Option(help: "Rows of each of the two samples.")
  var size = 600

  @Option(help: .value("numbers", "Values of λ, comma-separated."))
  var ridges: CommaList<Double> = .init([1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1])

  @Option(help: "The length scale of the Gaussian kernel. (default: by design)")
  var bandwidth: Double?

  @Option(help: "The seed of everything random.")
  var seed: UInt64 = 1

  @OptionGroup var runs: StudyOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    try requireRange(("--size", size, 20...10_000))
    if let value = (ridges.values + [bandwidth ?? 1]).first(where: { !($0 > 0 && $0.isFinite) }) {
      throw ValidationError("--ridges and --bandwidth must be positive numbers, not \(value)")
    }
  }

  func run() throws {
    let specification = PathSpecification(
      design: design, ridges: ridges.values,
      lengthScale: bandwidth ?? design.defaults.baseline.lengthScale, seed: seed)
    let name = "kbo-path-\(design.rawValue)"
    let results = try outputs.results(
      "\(name).csv", "\(name).svg", "\(name).jsonl", locked: true)
    let rows = try specification.replications(
      of: [size], runs, in: results.directory.file("\(name).jsonl"))
    try results.publish(PathReport(specification, rows[0], size: size))
  }
}
