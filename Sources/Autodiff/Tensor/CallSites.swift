#if os(Linux) && canImport(Runtime)
  internal import Runtime

  /// The lines of the program outside this package that led here, innermost first, as `file:line`;
  /// empty where the program has no debugging information.
  func callSites() -> [String] {
    guard let backtrace = try? Backtrace.capture(), let frames = backtrace.symbolicated()?.frames
    else { return [] }
    let lines = frames.compactMap { frame -> String? in
      guard let symbol = frame.symbol, let location = symbol.sourceLocation, location.line > 0,
        !symbol.isSystemFunction, !location.path.hasPrefix(sources)
      else { return nil }
      // An inlined function of the library is given the line it was inlined at.
      if frame.inlined, isDefinedInLibrary(symbol.rawName) { return nil }
      return "\(location.path):\(location.line)"
    }
    // Closures and their thunks share a line.
    let distinct = lines.indices.filter { $0 == 0 || lines[$0] != lines[$0 - 1] }.map { lines[$0] }
    return Array(distinct.prefix(8))
  }

  /// The folder of the modules, with its slash.
  private let sources: Substring = {
    let file = #filePath
    return file.dropLast("Autodiff/Tensor/CallSites.swift".count)
  }()

  /// Whether a mangled name belongs to a module of this package.
  private func isDefinedInLibrary(_ name: String) -> Bool {
    libraryPrefixes.contains { name.hasPrefix($0) }
  }

  private let libraryPrefixes = [
    "Autodiff", "TensorFiles", "Neural", "GradientCheck", "Inference", "Bilevel",
  ].map { "$s\($0.utf8.count)\($0)" }
#elseif os(Linux)
  func callSites() -> [String] { [] }
#endif
