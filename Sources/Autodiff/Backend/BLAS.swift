#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Fortran BLAS and LAPACK routines of one scalar type; `nil` where the library has none.
///
/// Column-major, 32-bit integers, every argument by address, the lengths of character arguments
/// appended at the end.
struct BLASRoutines: Sendable {
  typealias Flag = UnsafePointer<CChar>
  typealias Size = UnsafePointer<Int32>
  typealias Input = UnsafeRawPointer
  typealias Output = UnsafeMutableRawPointer
  typealias Info = UnsafeMutablePointer<Int32>

  /// (transA, transB, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc).
  typealias GEMM =
    @convention(c) (
      Flag, Flag, Size, Size, Size, Input, Input, Size, Input, Size, Input, Output, Size, Int, Int
    ) -> Void
  /// (trans, m, n, alpha, A, lda, x, incx, beta, y, incy).
  typealias GEMV =
    @convention(c) (
      Flag, Size, Size, Input, Input, Size, Input, Size, Input, Output, Size, Int
    ) -> Void
  /// (side, uplo, transA, diag, m, n, alpha, A, lda, B, ldb).
  typealias TRSM =
    @convention(c) (
      Flag, Flag, Flag, Flag, Size, Size, Input, Input, Size, Output, Size, Int, Int, Int, Int
    ) -> Void
  /// (uplo, n, A, lda, info).
  typealias POTRF = @convention(c) (Flag, Size, Output, Size, Info, Int) -> Void
  /// (m, n, A, lda, pivots, info).
  typealias GETRF = @convention(c) (Size, Size, Output, Size, Info, Info) -> Void
  /// (jobz, uplo, n, A, lda, w, work, lwork, iwork, liwork, info).
  typealias SYEVD =
    @convention(c) (
      Flag, Flag, Size, Output, Size, Output, Output, Size, Info, Size, Info, Int, Int
    ) -> Void

  var gemm: GEMM
  var gemv: GEMV?
  var trsm: TRSM?
  var potrf: POTRF?
  var getrf: GETRF?
  var syevd: SYEVD?
  /// nil for a library that decides on its threads itself.
  let threads: BLASThreads?

  /// `nil` when even the matrix product is missing.
  init?(prefix: String, symbols: SymbolTable, threads: BLASThreads?) {
    guard let gemm = symbols.routine(prefix + "gemm") else { return nil }
    func find<Function>(_ name: String, as type: Function.Type) -> Function? {
      symbols.routine(prefix + name).map { unsafeBitCast($0, to: type) }
    }
    self.threads = threads
    self.gemm = unsafeBitCast(gemm, to: GEMM.self)
    gemv = find("gemv", as: GEMV.self)
    trsm = find("trsm", as: TRSM.self)
    potrf = find("potrf", as: POTRF.self)
    getrf = find("getrf", as: GETRF.self)
    syevd = find("syevd", as: SYEVD.self)
  }
}

/// Symbols of one or two opened libraries (a BLAS, and a LAPACK when that is a file of its own).
struct SymbolTable: @unchecked Sendable {
  private var handles: [UnsafeMutableRawPointer] = []

  /// Opens every library of `names`; throws the loader's message about the first that fails.
  init(opening names: [String]) throws(BLASLoadingError) {
    for name in names {
      guard let handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL) else {
        let reason = dlerror().map { String(cString: $0) }
        throw BLASLoadingError(message: reason ?? "\(name) cannot be opened")
      }
      handles.append(handle)
    }
  }

  subscript(name: String) -> UnsafeMutableRawPointer? {
    for handle in handles {
      if let address = dlsym(handle, name) { return address }
    }
    return nil
  }

  /// A Fortran routine under the spellings in use; the suffix is Accelerate's current LAPACK.
  func routine(_ name: String) -> UnsafeMutableRawPointer? {
    self[name + "$NEWLAPACK"] ?? self[name + "_"] ?? self[name]
  }

  func function<Function>(_ name: String, as type: Function.Type) -> Function? {
    self[name].map { unsafeBitCast($0, to: type) }
  }
}

/// Why a library cannot serve as the BLAS.
struct BLASLoadingError: Error {
  var message: String
}

/// A BLAS (and usually LAPACK) library found at run time.
///
/// Looked for once, at the first matrix operation: `ADJOINT_BLAS` if set (a path or a file name the
/// loader knows; `builtin` asks for the built-in kernels), else OpenBLAS, BLIS, MKL, and the
/// system's `libblas.so.3` when it turns out to be an optimised library; Accelerate on macOS.
struct BLASLibrary: Sendable {
  /// The library in use, or `nil` for the built-in kernels.
  ///
  /// Stops the program when `ADJOINT_BLAS` names a library that cannot be used.
  static let loaded: BLASLibrary? = {
    do throws(EnvironmentError) { return try search.get() } catch { fatalError(error.description) }
  }()

  /// The library in use, or what is wrong with `ADJOINT_BLAS`.
  static let search: Result<BLASLibrary?, EnvironmentError> = Result {
    () throws(EnvironmentError) in
    let library = try find()
    library?.threads?.set(1)
    return library
  }

  let float32: BLASRoutines
  let float64: BLASRoutines
  /// For example "OpenBLAS 0.3.21 (libopenblas.so.0)".
  let description: String
  /// nil for a library that decides on its threads itself.
  let threads: BLASThreads?
  private let isOptimized: Bool

  private static func find() throws(EnvironmentError) -> BLASLibrary? {
    if let name = environmentVariable("ADJOINT_BLAS") {
      if name == "builtin" { return nil }
      do {
        return try BLASLibrary(opening: [name])
      } catch {
        throw EnvironmentError(
          name: "ADJOINT_BLAS", value: name,
          reason:
            "which cannot be used: \(error.message). Unset it to search the usual libraries, or "
            + "set it to \"builtin\" for the built-in kernels.")
      }
    }
    for names in candidates {
      if let library = try? BLASLibrary(opening: names), library.isOptimized { return library }
    }
    return nil
  }

  #if canImport(Darwin)
    private static let candidates = [
      ["/System/Library/Frameworks/Accelerate.framework/Accelerate"]
    ]
  #else
    // The reference `libblas.so.3` of netlib is slower than the built-in kernels, so the last entry
    // only counts when that name is an alias of an optimised library.
    private static let candidates = [
      ["libopenblas.so.0"], ["libopenblas.so"],
      ["libblis.so.4", "liblapack.so.3"], ["libblis.so.4"],
      ["libblis.so.3", "liblapack.so.3"], ["libblis.so.3"],
      ["libmkl_rt.so.2"], ["libmkl_rt.so"],
      ["libblas.so.3", "liblapack.so.3"], ["libblas.so.3"],
    ]
  #endif

  /// Opens the libraries and checks that they are a BLAS with 32-bit integers.
  init(opening names: [String]) throws(BLASLoadingError) {
    let symbols = try SymbolTable(opening: names)
    threads = BLASThreads(symbols)
    guard let float32 = BLASRoutines(prefix: "s", symbols: symbols, threads: threads),
      let float64 = BLASRoutines(prefix: "d", symbols: symbols, threads: threads)
    else { throw BLASLoadingError(message: "it has no sgemm_ and dgemm_") }
    guard !Self.has64BitIntegers(symbols) else {
      throw BLASLoadingError(message: "it has 64-bit integers; use the 32-bit (LP64) build")
    }
    self.float32 = float32
    self.float64 = float64
    let identity = Self.identify(symbols)
    let files = names.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
    description = "\(identity ?? "BLAS") (\(files.joined(separator: ", ")))"
    isOptimized = identity != nil
  }

  /// Asks for the index of the largest of 3 numbers with a count of 3 + 2³² · (2³² - 1): a library
  /// with 32-bit integers sees 3, one with 64-bit integers a negative count, and answers 0.
  private static func has64BitIntegers(_ symbols: SymbolTable) -> Bool {
    typealias IDAMAX =
      @convention(c) (UnsafePointer<Int64>, UnsafePointer<Double>, UnsafePointer<Int64>) -> Int32
    guard let address = symbols.routine("idamax") else { return false }
    let idamax = unsafeBitCast(address, to: IDAMAX.self)
    var count = Int64(bitPattern: 0xffff_ffff_0000_0003)
    var stride: Int64 = 1
    return idamax(&count, [1, 2, 3], &stride) != 3
  }

  /// Name and version where the library tells; `nil` for one that does not, such as netlib's.
  private static func identify(_ symbols: SymbolTable) -> String? {
    typealias Text = @convention(c) () -> UnsafePointer<CChar>?
    #if canImport(Darwin)
      if symbols["vDSP_vadd"] != nil { return "Accelerate" }
    #endif
    if let config = symbols.function("openblas_get_config", as: Text.self)?() {
      // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
      return String(cString: config).split(separator: " ").prefix(2).joined(separator: " ")
    }
    if let version = symbols.function("bli_info_get_version_str", as: Text.self)?() {
      return "BLIS \(String(cString: version))"
    }
    if symbols["MKL_Set_Num_Threads"] != nil { return "MKL" }
    if symbols["ATL_buildinfo"] != nil { return "ATLAS" }
    return nil
  }
}
