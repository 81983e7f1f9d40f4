import Autodiff
import Foundation
import Testing

@Suite("Threads of BLAS libraries") struct BLASThreadsTests {
  /// Products and solves that are split among threads, and others, in both scalar types.
  private static func results() -> [[Double]] {
    var generator = PhiloxGenerator(seed: 3)
    return [ScalarType.float32, .float64].flatMap { type in
      let wide = Tensor.normal([90, 700], type, using: &generator)
      let tall = Tensor.normal([700, 300], type, using: &generator)
      let vector = Tensor.normal([700, 1], type, using: &generator)
      let gram = matmul(tall, tall, transposeA: true)
      let positive = gram + Tensor.identity(300, type)
      return [
        matmul(wide, tall), matmul(tall, wide, transposeA: true, transposeB: true), gram,
        matmul(Tensor.concatenated([wide, wide, wide, wide], alongAxis: 0), vector),
        (try? solvePositiveDefinite(positive, gram)) ?? Tensor(0),
      ].map(\.scalars)
    }
  }

  @Test("products and solves have the same bits on any number of threads")
  func sameBits() {
    let threads = Parallelism.threadCount
    defer { Parallelism.threadCount = threads }
    Parallelism.threadCount = 1
    let expected = Self.results()
    for count in [2, 3, 7] {
      Parallelism.threadCount = count
      #expect(Self.results() == expected, "\(count) threads")
    }
  }

  @Test("the variable of the library is honoured")
  func variableIsHonoured() async {
    await #expect(processExitsWith: .success) {
      setenv("OPENBLAS_NUM_THREADS", "1", 1)
      setenv("ADJOINT_THREADS", "5", 1)
      let description = LinearAlgebraBackend.description
      let expected = description.hasPrefix("OpenBLAS") ? ", 1 thread" : ", 5 threads"
      guard description.contains(expected) else { fatalError(description) }
    }
    await #expect(processExitsWith: .success) {
      setenv("OPENBLAS_NUM_THREADS", "none", 1)
      setenv("ADJOINT_THREADS", "5", 1)
      let description = LinearAlgebraBackend.description
      guard description.contains(", 5 threads") else { fatalError(description) }
    }
  }

  @Test("variables that cannot be used are told before anything needs them")
  func environmentIsChecked() async throws {
    await #expect(processExitsWith: .success) {
      setenv("ADJOINT_THREADS", "0", 1)
      do throws(EnvironmentError) {
        try Parallelism.checkEnvironment()
        fatalError("no error")
      } catch {
        guard
          "\(error)" == "ADJOINT_THREADS is \"0\", which is not a whole number from 1 to 4096"
        else { fatalError("\(error)") }
      }
    }
    await #expect(processExitsWith: .success) {
      setenv("ADJOINT_BLAS", "/nowhere/libnone.so", 1)
      do throws(EnvironmentError) {
        try Parallelism.checkEnvironment()
        fatalError("no error")
      } catch {
        guard error.name == "ADJOINT_BLAS", error.value == "/nowhere/libnone.so" else {
          fatalError("\(error)")
        }
      }
    }
    try Parallelism.checkEnvironment()
  }
}
