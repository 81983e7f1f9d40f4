import Autodiff
import Foundation
import TestSupport
import Testing

/// Every test runs in a process of its own, since the library is chosen once.
@Suite("BLAS libraries") struct BLASTests {
  @Test("Built in on request") func builtInOnRequest() async {
    await #expect(processExitsWith: .success) {
      setenv("ADJOINT_BLAS", "builtin", 1)
      setenv("ADJOINT_THREADS", "3", 1)
      guard !LinearAlgebra.isLibraryLoaded,
        LinearAlgebraBackend.description.hasPrefix("built-in kernels ("),
        LinearAlgebraBackend.description.contains("), 3 threads")
      else { fatalError(LinearAlgebraBackend.description) }
    }
  }

  @Test("Missing library is named") func missingLibraryIsNamed() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      setenv("ADJOINT_BLAS", "/nowhere/libnone.so", 1)
      print(LinearAlgebraBackend.description)
    }
    let message = errorText(result)
    #expect(message.contains("ADJOINT_BLAS is \"/nowhere/libnone.so\", which cannot be used"))
  }

  #if os(Linux)
    @Test("Library without BLAS is refused") func libraryWithoutBLASIsRefused() async {
      let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        setenv("ADJOINT_BLAS", "libm.so.6", 1)
        print(LinearAlgebraBackend.description)
      }
      let message = errorText(result)
      #expect(message.contains("ADJOINT_BLAS is \"libm.so.6\", which cannot be used"))
    }
  #endif

  @Test("Bad thread count is named") func badThreadCountIsNamed() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      setenv("ADJOINT_THREADS", "many", 1)
      print(Parallelism.threadCount)
    }
    let message = errorText(result)
    #expect(message.contains("ADJOINT_THREADS is \"many\""))
  }

  @Test("Description names the backend") func descriptionNamesTheBackend() {
    let description = LinearAlgebraBackend.description
    #expect(description.hasPrefix("built-in") == !LinearAlgebra.isLibraryLoaded)
    #expect(description.contains(" thread"))
  }
}
