import Autodiff
import Inference
import TestSupport
import Testing

@Suite("Identities of samples") struct SampleIdentityTests {
  @Test("Equal data equal identity") func equalDataEqualIdentity() {
    let a = normal([7, 3], seed: 1)
    let b = Tensor(a.scalars, shape: a.shape)
    #expect(SampleIdentity(fingerprint: [a]) == SampleIdentity(fingerprint: [b]))
    #expect(SampleIdentity(name: "a") == SampleIdentity(name: "a"))
  }

  /// Every way two samples can differ: a bit, the shape, the type, the grouping, the order.
  @Test("Different data different identity") func differentDataDifferentIdentity() {
    let a = Tensor([1, 2, 3, 4, 5, 6])
    let variants: [SampleIdentity] = [
      SampleIdentity(fingerprint: [a]),
      SampleIdentity(fingerprint: [Tensor([1, 2, 3, 4, 5, (6.0).nextUp])]),
      SampleIdentity(fingerprint: [a.reshaped(to: [2, 3])]),
      SampleIdentity(fingerprint: [a.reshaped(to: [3, 2])]),
      SampleIdentity(fingerprint: [a.cast(to: .float32)]),
      SampleIdentity(fingerprint: [Tensor([1, 2, 3]), Tensor([4, 5, 6])]),
      SampleIdentity(fingerprint: [Tensor([4, 5, 6]), Tensor([1, 2, 3])]),
      SampleIdentity(fingerprint: [Tensor(indices: [1, 2, 3])]),
      SampleIdentity(fingerprint: []), SampleIdentity(name: ""), SampleIdentity(name: "a"),
      SampleIdentity(name: "a\0"), SampleIdentity(name: "eight by"),
      SampleIdentity(name: "eight bz"),
    ]
    #expect(Set(variants).count == variants.count)
    let halves = variants.flatMap { [$0.description.prefix(16), $0.description.suffix(16)] }
    #expect(Set(halves).count == halves.count)
    #expect(halves.allSatisfy { $0.count == 16 })
  }

  /// The value is fixed, so that it agrees between processes and machines.
  @Test("Stable across processes") func stableAcrossProcesses() {
    #expect(SampleIdentity(name: "cohort").description == "feadb7c273f4a39dccf5416298bf4c4a")
    #expect(
      SampleIdentity(fingerprint: [Tensor([1.5, -2])]).description
        == "c6479209034ab0ab6757986655faeed3")
  }
}
