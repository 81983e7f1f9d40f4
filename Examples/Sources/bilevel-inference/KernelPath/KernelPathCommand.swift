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

  @Option(help: ArgumentHelp("The design.", valueName: "name"))
  var design = PathDesign.paperIV3

  @Option(help: "Rows of each of the two samples.")
  var size = 600

  @Option(help: ArgumentHelp("Values of λ, comma-separated.", valueName: "numbers"))
  var ridges: NumberList<Double> = .init([1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1])

  @Option(help: "The length scale of the Gaussian kernel. (default: by design)")
  var bandwidth: Double?

  @Option(help: "The seed of everything random.")
  var seed: UInt64 = 1

  @OptionGroup var runs: RunOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    guard (20...10_000).contains(size) else {
      throw ValidationError("--size must be between 20 and 10000, not \(size)")
    }
    if let value = (ridges.values + [bandwidth ?? 1]).first(where: { !($0 > 0 && $0.isFinite) }) {
      throw ValidationError("--ridges and --bandwidth must be positive numbers, not \(value)")
    }
  }

  func run() throws {
    let specification = PathSpecification(
      design: design, ridges: ridges.values, lengthScale: bandwidth ?? design.lengthScale,
      seed: seed)
    let name = "kbo-path-\(design.rawValue)"
    let directory = try outputs.directory(for: ["\(name).csv", "\(name).svg"])
    let lock = try DirectoryLock(directory: directory.path, program: "bilevel-inference")
    defer { withExtendedLifetime(lock) {} }
    let study = Study(
      specification: specification, sizes: [size], replications: runs.replications)
    let rows = try study.complete(
      in: directory.file("\(name).jsonl"), resumes: runs.resume, jobs: runs.jobCount)
    let report = try PathReport(specification, rows, size: size)
    print(report.text)
    try atomicWrite(report.csv, to: directory.file("\(name).csv"))
    try report.figure.write(to: directory.file("\(name).svg"))
    print("\nWrote \(name).csv, \(name).svg and \(name).jsonl to \(directory.path)")
    try outputs.writeResults(report)
  }
}

extension PathDesign: ExpressibleByArgument {}
