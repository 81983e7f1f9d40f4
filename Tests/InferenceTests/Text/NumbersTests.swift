import Inference
import Testing

@Suite("Numbers and tables as people read them")
struct NumbersTests {
  @Test("Numbers have significant digits")
  func significantDigits() {
    let cases: [(Double, String)] = [
      (0.131503775, "0.1315"), (3010, "3010"), (-0.0023349, "-0.002335"), (9.99996, "10.00"),
      (0, "0"), (1.5e-7, "1.500e-7"), (123_456_789, "1.235e8"), (123_456, "123456"),
      (.infinity, "∞"), (.nan, "–"),
    ]
    for (value, text) in cases { #expect(Numbers.significant(value) == text) }
    #expect(Numbers.short(5) == "5")
    #expect(Numbers.short(0.25) == "0.25")
    #expect(Numbers.short(100) == "100")
    #expect(Numbers.short(1e-5) == "1e-5")
    #expect(Numbers.short(-2.5e-9) == "-2.5e-9")
  }

  @Test("p-values, fixed decimals and counts")
  func otherNumbers() {
    #expect(Numbers.pValue(0.00099) == "<0.001")
    #expect(Numbers.pValue(0.28) == "0.280")
    #expect(Numbers.pStatement(1e-9) == "p < 0.001")
    #expect(Numbers.pStatement(0.05) == "p = 0.050")
    #expect(Numbers.fixed(-0.001, decimals: 2) == "0.00")
    #expect(Numbers.fixed(-1.005, decimals: 1) == "-1.0")
    #expect(Numbers.count(1_234_567) == "1,234,567")
    #expect(Numbers.count(-999) == "-999")
    #expect(Numbers.count(.min) == "-9,223,372,036,854,775,808")
  }

  @Test("Columns of a table are aligned")
  func tableColumnsAreAligned() {
    var table = TextTable(header: ["", "estimate", "p"])
    table.append(["educ", "0.13", "0.016"])
    table.append(["größe", "-12.5"])
    #expect(
      table.text() == """
                 estimate      p
          ──────────────────────
          educ       0.13  0.016
          größe     -12.5
        """)
  }

  @Test("Text is wrapped at spaces")
  func textIsWrapped() {
    #expect(wrapped("aa bb cc", width: 8, indent: 2) == "  aa bb\n  cc")
    #expect(wrapped("averylongword b", width: 6, indent: 1) == " averylongword\n b")
  }
}
