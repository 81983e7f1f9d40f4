import Testing

/// Expects that what a stopped process wrote contains every part.
func expectMessage(_ result: ExitTest.Result?, _ parts: String...) {
  let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
  for part in parts { #expect(text.contains(part), "“\(part)” is not in: \(text)") }
}
