#if os(Linux) && canImport(Runtime)
  internal import Runtime

  /// The lines of the program outside this package that led here, innermost first, as `file:line`;
  /// empty where the program has no debugging information.
  func callSites() -> [String] {
    guard let backtrace = try? Backtrace.capture(), let frames = backtrace.symbolicated()?.frames
    else { return [] }
    let lines = frames.compactMap { frame -> String? in
      guard let symbol = frame.symbol, let location = symbol.sourceLocation, location.line > 0,
        !symbol.isSystemFunction, !isLibraryFile(location.path)
      else { return nil }
      // An inlined function of the library is given the line it was inlined at.
      if frame.inlined, isLibrarySymbol(symbol.rawName) { return nil }
      return "\(location.path):\(location.line)"
    }
    // Closures and their thunks share a line.
    let distinct = lines.indices.filter { $0 == 0 || lines[$0] != lines[$0 - 1] }.map { lines[$0] }
    return Array(distinct.prefix(8))
  }

  /// Whether a path, absolute or relative to its package, is that of a source of this package: two
  /// modules of one name cannot be in one program.
  private func isLibraryFile(_ path: String) -> Bool {
    libraryModules.contains {
      path.hasPrefix("Sources/\($0)/") || path.contains("/Sources/\($0)/")
    }
  }

  private func isLibrarySymbol(_ mangledName: String) -> Bool {
    libraryModules.contains { mangledName.hasPrefix("$s\($0.utf8.count)\($0)") }
  }

  /// The Swift modules of this package.
  package let libraryModules = [
    "Autodiff", "TensorFiles", "Neural", "GradientCheck", "Inference", "Solvers", "Bilevel",
    "Orthogonal", "Econometrics",
  ]
#elseif os(Linux)
  func callSites() -> [String] { [] }
#endif
