import ExampleSupport
import Testing

@Suite("Estimates of memory") struct MemoryEstimateTests {
  @Test("a job that does not fit is refused with what it takes and what there is")
  func refuses() throws {
    let error = #expect(throws: NotEnoughMemory.self) {
      try NotEnoughMemory.refuse(2.5e9, for: "a regression", available: 1_000_000_000)
    }
    #expect(
      error?.description
        == "a regression takes about 2,500\u{A0}MB of memory, but 1,000\u{A0}MB are free; choose a "
        + "smaller problem, or run it where there is more memory")
    try NotEnoughMemory.refuse(2.5e9, for: "a regression", available: 2_500_000_000)
    try NotEnoughMemory.refuse(.greatestFiniteMagnitude, for: "a regression", available: nil)
    #expect(throws: NotEnoughMemory.self) {
      try NotEnoughMemory.refuse(.greatestFiniteMagnitude, for: "a regression")
    }
  }
}
