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

  @Option(help: .value("name", "The design."))
  var design: DesignName

  @OptionGroup var options: CoverageOptions

  @Option(help: .value("n", "Rows of a sample, comma-separated. (default: by design)"))
  var sizes: CommaList<Int>?

  @OptionGroup var runs: StudyOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    for size in sizes?.values ?? [] { try requireRange(("--sizes", size, 20...1_000_000)) }
    _ = try options.specification(design)
  }

  func run() throws {
    let specification = try options.specification(design)
    let sizes = sizes?.values ?? design.defaults.sizes
    let name = "coverage-\(design.rawValue)"
    let results = try outputs.results(
      "\(name).csv", "\(name).svg", "\(name).jsonl", locked: true)
    let replications = try specification.replications(
      of: sizes, runs, in: results.directory.file("\(name).jsonl"))
    try results.publish(CoverageReport(specification, sizes: sizes, replications))
  }
}
