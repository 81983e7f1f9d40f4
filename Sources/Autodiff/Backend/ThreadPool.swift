import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs `body` over `0..<count` in chunks of `grain` indices, on several threads when it pays.
///
/// Chunk i is `i * grain ..< min(count, (i + 1) * grain)`, whatever the number of threads, and
/// `body` is called exactly once per chunk, so per-chunk partial results are reproducible. Chunks
/// run in increasing order on the calling thread alone when there is only one chunk, when
/// the number of threads is 1, when called from inside another `parallelFor`, or while another
/// thread occupies the pool. Otherwise they run concurrently, the caller taking part, and all
/// effects of `body` are visible to the caller on return.
///
/// - Parameter threads: At most so many; `Parallelism.threadCount` if not given.
/// - Precondition: `grain >= 1`. Choose it so that one chunk is worth 10 µs of work or more.
package func parallelFor(
  count: Int, grain: Int, threads: Int? = nil, _ body: (Range<Int>) -> Void
) {
  guard grain >= 1 else { fatalError("parallelFor needs a grain of at least 1, not \(grain)") }
  guard count > 0 else { return }
  if count <= grain { return body(0..<count) }
  let chunks = ChunkedRange(count: count, grain: grain)
  let threads = min(threads ?? Parallelism.threadCount, chunks.chunkCount)
  if threads > 1, ThreadPool.shared.run(chunks, threads: threads, body) { return }
  for chunk in 0..<chunks.chunkCount { body(chunks[chunk]) }
}

/// `0..<count` cut every `grain` indices.
private struct ChunkedRange {
  var count: Int
  var grain: Int

  var chunkCount: Int { (count - 1) / grain + 1 }

  subscript(chunk: Int) -> Range<Int> {
    let start = chunk * grain
    return start..<(start + min(grain, count - start))
  }
}

/// Sleeping worker threads that help one caller at a time.
///
/// One job is open at a time (`isBusy`). A worker joins the open job under the lock and takes
/// chunks from an atomic counter; the caller closes the job once the counter has run out, so a
/// worker that wakes up late finds nothing to join and costs the caller no waiting.
private final class ThreadPool: @unchecked Sendable {
  static let shared = ThreadPool()

  private typealias Body = (Range<Int>) -> Void

  private struct Job {
    var chunks: ChunkedRange
    var body: UnsafePointer<Body>
  }

  /// How often an idle worker looks for the next job before it sleeps: a few microseconds, which
  /// covers the gap between consecutive loops of one operation.
  private static let spins = 1000

  /// Musl and macOS give secondary threads far less than the 8 MiB usual on Linux.
  private static let stackSize = 8 << 20

  private let isBusy = Atomic<Bool>(false)
  private let nextChunk = Atomic<Int>(0)
  private let jobNumber = Atomic<Int>(0)

  // Guarded by `mutex`.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let jobOpened = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let jobFinished = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var job: Job?
  private var vacancies = 0
  private var helpers = 0
  private var workerCount = 0

  private init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(jobOpened, nil)
    pthread_cond_init(jobFinished, nil)
  }

  /// Runs all chunks on up to `threads` threads; does nothing and returns false when the pool is
  /// taken, be it by another thread or by the loop this call is nested in.
  func run(_ chunks: ChunkedRange, threads: Int, _ body: (Range<Int>) -> Void) -> Bool {
    guard !isBusy.exchange(true, ordering: .acquiring) else { return false }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { body in
        open(Job(chunks: chunks, body: body), helpers: threads - 1)
        takeChunks(of: chunks, body)
        close()
      }
    }
    isBusy.store(false, ordering: .releasing)
    return true
  }

  private func open(_ newJob: Job, helpers wanted: Int) {
    pthread_mutex_lock(mutex)
    while workerCount < wanted, startWorker() { workerCount += 1 }
    nextChunk.store(0, ordering: .relaxed)
    job = newJob
    vacancies = min(wanted, workerCount)
    jobNumber.add(1, ordering: .releasing)
    for _ in 0..<vacancies { pthread_cond_signal(jobOpened) }
    pthread_mutex_unlock(mutex)
  }

  private func close() {
    pthread_mutex_lock(mutex)
    job = nil
    while helpers > 0 { pthread_cond_wait(jobFinished, mutex) }
    pthread_mutex_unlock(mutex)
  }

  private func takeChunks(of chunks: ChunkedRange, _ body: UnsafePointer<Body>) {
    while true {
      let chunk = nextChunk.add(1, ordering: .relaxed).oldValue
      if chunk >= chunks.chunkCount { return }
      body.pointee(chunks[chunk])
    }
  }

  private func work() -> Never {
    pthread_mutex_lock(mutex)
    while true {
      if let job, vacancies > 0 {
        vacancies -= 1
        helpers += 1
        let number = jobNumber.load(ordering: .relaxed)
        pthread_mutex_unlock(mutex)
        takeChunks(of: job.chunks, job.body)
        pthread_mutex_lock(mutex)
        helpers -= 1
        if helpers == 0 { pthread_cond_signal(jobFinished) }
        pthread_mutex_unlock(mutex)
        var spin = 0
        while spin < Self.spins, jobNumber.load(ordering: .acquiring) == number { spin += 1 }
        pthread_mutex_lock(mutex)
      } else {
        pthread_cond_wait(jobOpened, mutex)
      }
    }
  }

  /// Starts a detached thread; false when the system refuses, in which case fewer threads help.
  private func startWorker() -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, Self.stackSize)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    return pthread_create(&thread, &attributes, { _ in ThreadPool.shared.work() }, nil) == 0
  }
}
