import Autodiff
import Testing

@Suite("Printing of tensors")
struct TensorDescriptionTests {
  @Test("Small tensors are printed whole, aligned, with shape and type")
  func small() {
    #expect("\(Tensor(2.5))" == "Tensor [] float64: 2.5")
    #expect(
      "\(Tensor([1, -20.25] as [Float]))"
        == "Tensor [2] float32\n[1.0, -20.25]"
        .replacing("[1.0", with: "[   1.0"))
    #expect(
      "\(Tensor(indices: [1, 22, 3, 4], shape: [2, 2]))" == """
        Tensor [2, 2] int32
        [[ 1, 22],
         [ 3,  4]]
        """)
    #expect("\(Tensor(mask: [true, false]))" == "Tensor [2] bool\n[ true, false]")
    #expect("\(Tensor([]))" == "Tensor [0] float64\n[]")
  }

  @Test("Numbers keep six significant digits and say what is not finite")
  func numbers() {
    #expect("\(Tensor(1.0 / 3))" == "Tensor [] float64: 0.333333")
    #expect("\(Tensor(1.5e-7))" == "Tensor [] float64: 1.5e-7")
    #expect("\(Tensor(-2.5e12))" == "Tensor [] float64: -2.5e12")
    #expect("\(Tensor(123_456.75))" == "Tensor [] float64: 123457.0")
    #expect("\(Tensor(1e300))" == "Tensor [] float64: 1.0e300")
    #expect("\(Tensor(-1e305))" == "Tensor [] float64: -1.0e305")
    #expect("\(Tensor([1e-5] as [Float]))" == "Tensor [1] float32\n[1.0e-5]")
    #expect("\(Tensor(9_999_999.9))" == "Tensor [] float64: 1.0e7")
    #expect("\(Tensor(Double.nan))" == "Tensor [] float64: nan")
    #expect("\(Tensor(-Double.infinity))" == "Tensor [] float64: -inf")
  }

  @Test("Long axes are abbreviated")
  func large() {
    let text = "\(Tensor.range(1_000_000, .int32).reshaped(to: [1000, 1000]))"
    #expect(text.count < 500)
    #expect(text.hasPrefix("Tensor [1000, 1000] int32\n[[     0,      1,      2, …, "))
    #expect(text.hasSuffix("999999]]"))
  }

  @Test("A tensor that is being differentiated says so")
  func traced() {
    _ = gradient(at: Tensor(2)) { x in
      #expect("\(x)" == "Tensor [] float64, traced: 2.0")
      return x * x
    }
  }
}
