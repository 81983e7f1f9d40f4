import Synchronization

/// The threads of a BLAS library, which are asleep except for large factorisations.
///
/// The threads of a library wait for each other in loops that keep a processor busy, and a product of
/// a few thousand numbers is enough to wake them. Where other work runs on the machine, each such
/// product can then take as long as the turn of another process. So the library computes on the
/// calling thread; products and triangular solves are split by Adjoint (`LinearAlgebra`), whose
/// threads take part when they get a processor and cost no waiting when they do not.
struct BLASThreads: Sendable {
  /// Sets the number of threads of the library.
  let set: @Sendable (Int) -> Void
  /// The user's number, where the library's variable is set to one above 0.
  private let stated: Int?
  /// One large operation at a time has the threads.
  private static let turn = Mutex(())

  /// nil where the library has no function for it.
  init?(_ symbols: SymbolTable) {
    typealias TakingInt32 = @convention(c) (Int32) -> Void
    typealias TakingInt = @convention(c) (Int) -> Void
    let variables: [String]
    if let set = symbols.function("openblas_set_num_threads", as: TakingInt32.self) {
      self.set = { set(Int32(clamping: $0)) }
      variables = ["OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"]
    } else if let set = symbols.function("MKL_Set_Num_Threads", as: TakingInt32.self) {
      self.set = { set(Int32(clamping: $0)) }
      variables = ["MKL_NUM_THREADS", "OMP_NUM_THREADS"]
    } else if let set = symbols.function("bli_thread_set_num_threads", as: TakingInt.self) {
      self.set = { set($0) }
      variables = ["BLIS_NUM_THREADS", "OMP_NUM_THREADS"]
    } else {
      return nil
    }
    // As the libraries do: the first variable that is set counts, and what is no number does not.
    let value = variables.lazy.compactMap(environmentVariable).first.flatMap { Int($0) }
    stated = value.flatMap { $0 > 0 ? $0 : nil }
  }

  /// The number of threads for large operations.
  var count: Int { stated ?? Parallelism.threadCount }

  /// Runs an operation of the library on its threads, the others on the calling one.
  func awake<Result>(_ body: () -> Result) -> Result {
    let count = count
    if count == 1 { return body() }
    return Self.turn.withLock { _ in
      set(count)
      defer { set(1) }
      return body()
    }
  }
}
