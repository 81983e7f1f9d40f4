import Autodiff
import Foundation
import Testing

@Suite("Available memory") struct AvailableMemoryTests {
  @Test("there is some memory, and not more than the machine has")
  func isPlausible() throws {
    let available = try #require(AvailableMemory.byteCount)
    #expect(available > 1 << 20)
    #expect(available <= Int(ProcessInfo.processInfo.physicalMemory))
  }

  #if os(Linux)
    @Test("a limit on the address space counts, less what is in use")
    func limits() async {
      await #expect(processExitsWith: .success) {
        var limit = rlimit(rlim_cur: 3 << 30, rlim_max: 3 << 30)
        // RLIMIT_AS, whose name has different types in different C libraries.
        guard setrlimit(9, &limit) == 0 else { fatalError("no limit was set") }
        guard let available = AvailableMemory.byteCount, available > 0, available < 3 << 30 else {
          fatalError("\(AvailableMemory.byteCount ?? -1)")
        }
      }
    }
  #endif
}
