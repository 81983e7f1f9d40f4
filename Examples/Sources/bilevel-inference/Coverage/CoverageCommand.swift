import ArgumentParser
import ExampleSupport

/// `bilevel-inference coverage`: how often intervals hold the truth.
struct CoverageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coverage",
    abstract: "Measure on simulated data how often confidence intervals hold the truth.",
    discussion: """
      Draws samples of a design whose gradient is known, estimates it by several methods and reports \
      bias, error, coverage of 95 % intervals, size of the test of stationarity and error of the root.

      Designs:
      \(DesignName.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))

      Methods:
      \(StudyMethod.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))

      Every replication is kept in the output directory as soon as it has ended. --resume keeps those \
      and makes the ones that are missing, also after more --replications or other --sizes were asked \
      for. The numbers do not depend on --jobs.
      """)

  @Option(help: ArgumentHelp("The design.", valueName: "name"))
  var design: DesignName

  @OptionGroup var options: CoverageOptions

  @Option(
    help: ArgumentHelp("Rows of a sample, comma-separated. (default: by design)", valueName: "n"))
  var sizes: NumberList<Int>?

  @OptionGroup var runs: RunOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    if let size = sizes?.values.first(where: { !(20...1_000_000).contains($0) }) {
      throw ValidationError("--sizes must be between 20 and 1000000, not \(size)")
    }
    _ = try options.specification(design)
  }

  func run() throws {
    let specification = try options.specification(design)
    let sizes = sizes?.values ?? design.defaultSizes
    let name = "coverage-\(design.rawValue)"
    let directory = try outputs.directory(for: ["\(name).csv", "\(name).svg"])
    let lock = try DirectoryLock(directory: directory.path, program: "bilevel-inference")
    defer { withExtendedLifetime(lock) {} }
    let study = Study(
      specification: specification, sizes: sizes, replications: runs.replications)
    let replications = try study.complete(
      in: directory.file("\(name).jsonl"), resumes: runs.resume, jobs: runs.jobCount)
    let report = CoverageReport(specification, replications, sizes: sizes)
    print(report.text)
    try atomicWrite(report.csv, to: directory.file("\(name).csv"))
    try report.figure.write(to: directory.file("\(name).svg"))
    print("\nWrote \(name).csv, \(name).svg and \(name).jsonl to \(directory.path)")
    try outputs.writeResults(report)
  }
}

extension DesignName: ExpressibleByArgument {}
