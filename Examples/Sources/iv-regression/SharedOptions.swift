import ArgumentParser
import ExampleSupport

/// The options of the program and of its subcommands on one sample.
struct SharedOptions: ParsableArguments {
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var seeds: SeedOption

  /// The seed that is given, or the default.
  var seed: UInt64 { seeds.seed ?? 1 }
}

/// The seed, in a group of its own because `dsprites`, which has seeds of its runs, refuses it.
struct SeedOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The seed of everything random: simulation, splits and initial weights of 'deep', splits of "
        + "the nonparametric first stage of 'linear'. (default: 1)", valueName: "number"))
  var seed: UInt64?
}
