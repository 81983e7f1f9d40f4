import ArgumentParser
import Autodiff
import Foundation

extension ParsableCommand {
  /// Runs a program: its streams and its environment first, then the command of the arguments.
  ///
  /// The exit status is 0 only where everything printed has arrived; it is 64 for arguments or
  /// variables of the environment that cannot be used.
  public static func runProgram() -> Never {
    StandardStreams.prepare()
    do throws(EnvironmentError) { try Parallelism.checkEnvironment() } catch {
      StandardStreams.note("Error: \(error)\n")
      Foundation.exit(ExitCode.validationFailure.rawValue)
    }
    var status = ExitCode.success.rawValue
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      status = exitCode(for: error).rawValue
      let message = fullMessage(for: error)
      // Help is a result.
      if status == 0 {
        print(message)
      } else if !message.isEmpty {
        fflush(nil)
        StandardStreams.note(message + "\n")
      }
    }
    do throws(OutputError) { try StandardStreams.flush() } catch {
      StandardStreams.note("Error: \(error)\n")
      if status == 0 { status = ExitCode.failure.rawValue }
    }
    Foundation.exit(status)
  }
}
