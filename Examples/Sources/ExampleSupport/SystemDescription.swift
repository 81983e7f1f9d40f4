import Foundation

/// What a result was computed on, for its record.
public enum SystemDescription {
  /// Operating system, architecture and Swift compiler in one line.
  public static var text: String {
    "\(ProcessInfo.processInfo.operatingSystemVersionString), \(architecture), Swift \(compiler)"
  }

  private static var architecture: String {
    #if arch(x86_64)
      "x86-64"
    #elseif arch(arm64)
      "arm64"
    #else
      "another architecture"
    #endif
  }

  /// A program can only ask whether its compiler is at least of some version.
  private static var compiler: String {
    #if compiler(>=6.4)
      "6.4 or newer"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }
}
