import ArgumentParser
import DSprites
import ExampleSupport
import Foundation
import SpriteRegression
import TensorFiles

/// `iv-regression dsprites`: seven ways to fit the dSprites benchmark, compared.
struct DSpritesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dsprites",
    abstract: "Compare bilevel methods on instrumental-variable regression of images.",
    discussion: """
      The dSprites benchmark of Xu et al. (2021): the treatment is an image of 4096 pixels, the \
      outcome a confounded function of it. Fits it by each method with each seed and compares \
      out-of-sample errors on 588 images without noise, as Petrulionyte, Mairal and Arbel (2024) do. \
      The images are drawn by the program; --data takes those of the published archive.

      Methods:
      \(SpriteMethod.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))

      Every run has a process of its own and, when it has ended, a file in the output directory. \
      --resume keeps those and makes the runs that are missing, those that were interrupted from \
      their checkpoints.
      """)

  @Option(
    name: .customLong("method"),
    help: .value(
      "names",
      "Methods, comma-separated or in several options; 'all' for every one. (default: all)"))
  var methodNames: [String] = []

  @Option(help: "Observations of a run, 20 to 1000000, halved for the two stages.")
  var size = 5000

  @Option(help: "Runs of each method.")
  var runs = 20

  @Option(help: "The seed of the first run; each next one has the next seed.")
  var firstSeed: UInt64 = 1

  @Option(
    help: .value(
      "file",
      "The published archive of images, dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz of "
        + "github.com/google-deepmind/dsprites-dataset; drawn if not given."))
  var data: String?

  @Option(help: "The type of the numbers.")
  var precision: SpritePrecision = .float32

  @Option(help: "Runs at once, each with its share of the threads.")
  var jobs = 1

  @Option(
    help: ArgumentHelp(
      "Outer iterations from one checkpoint of a run to the next; a checkpoint takes about 60 MB "
        + "for each run in progress."))
  var checkpointEvery = 10

  @Flag(help: "Keep the runs that the output directory holds, and make the others.")
  var resume = false

  @OptionGroup var settings: SpriteSettingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup(visibility: .hidden) var seeds: SeedOption

  func validate() throws {
    guard seeds.seed == nil else {
      throw ValidationError(
        "--seed is for 'linear' and 'deep'; dsprites numbers its runs from --first-seed")
    }
    try requireRange(
      ("--size", size, 20...1_000_000), ("--runs", runs, 1...10_000), ("--jobs", jobs, 1...1024),
      ("--checkpoint-every", checkpointEvery, 1...1_000_000))
    guard firstSeed <= UInt64.max - UInt64(runs) else {
      throw ValidationError("--first-seed is too large for \(runs) runs: \(firstSeed)")
    }
    try settings.requireUse(by: try methods())
    try outputs.requireJSON(apartFrom: data)
  }

  func run() throws {
    try outputs.requireUsable()
    try requireMemory()
    let given = try givenData()
    let directory = try outputs.directory(for: ["dsprites.svg"])
    let plot = directory.file("dsprites.svg")
    let runs = SpriteRuns(
      directory: try OutputDirectory(path: directory.file("dsprites-runs")).path)
    let lock = try DirectoryLock(directory: runs.directory, program: "iv-regression")
    defer { withExtendedLifetime(lock) {} }
    let data = try given?.file(in: directory)
    let specifications = try methods().flatMap { method in
      (0..<UInt64(self.runs)).map { index in
        SpriteSpecification(
          method: method, seed: firstSeed + index, size: size, precision: precision,
          data: data, settings: settings.settings(method, size: size))
      }
    }
    let finished = try runs.finished(of: specifications, resumes: resume)
    let study = SpriteStudy(
      runs: runs, specifications: specifications, jobs: jobs, checkpointInterval: checkpointEvery)
    let report = SpriteReport(
      try study.complete(finished), settings: settings.summary)
    print(report.text)
    let further = runs.furtherCount(than: specifications)
    if further > 0 {
      print(
        "\n\(further) further \(further == 1 ? "run" : "runs") in \(runs.directory) "
          + "\(further == 1 ? "is" : "are") left out of the table and the plot")
    }
    try report.figure.write(to: plot)
    print("\nWrote \(plot) and \(runs.directory)")
    try outputs.writeResults(report)
  }

  /// The archive of `--data`.
  private func givenData() throws -> GivenArchive? {
    guard let data else { return nil }
    do {
      return try GivenArchive(path: data)
    } catch let error as DSpritesError {
      throw ValidationError("--data: \(error)")
    } catch {
      let reason = (error as? FileError).map { ": \($0.detail)" } ?? ""
      throw ValidationError(
        "--data: '\(data)' cannot be read\(reason); give the archive of dSprites, or leave the option "
          + "out to have the images drawn")
    }
  }

  /// Refuses runs that do not fit: the images in several forms, with the layers of the networks and
  /// their derivatives, and where an archive is read its images.
  private func requireMemory() throws(NotEnoughMemory) {
    let width = precision == .float32 ? 1.0 : 2
    try NotEnoughMemory.refuse(
      Double(jobs) * (width * (70_000 * Double(size) + 2e8) + (data == nil ? 8e7 : 2.2e8)),
      for: "\(jobs == 1 ? "a run" : "\(jobs) runs at a time") on \(Numbers.count(size)) images")
  }

  /// The methods that are asked for, in their usual order.
  private func methods() throws -> [SpriteMethod] {
    let all = SpriteMethod.allCases
    if methodNames.isEmpty { return all }
    let chosen = try named(
      "--method", methodNames.joined(separator: ","), all: all,
      known: "\(all.map(\.rawValue).joined(separator: ", ")), and all"
    ) { name in
      // Titles, as the table has them, are these names with spaces and capitals.
      SpriteMethod(rawValue: name.lowercased().replacing(" ", with: "-"))
    }
    return all.filter(chosen.contains)
  }
}

extension SpritePrecision: ExpressibleByArgument {}
